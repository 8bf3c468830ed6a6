//go:build services

package sqlstore

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	manyValues = regexp.MustCompile(`(\((\?,? ?)+\),?)+`)
	manyPairs  = regexp.MustCompile(`(\((\w+ = \?(?: AND )?)+\))( OR \((\w+ = \?(?: AND )?)+\))+`)
	columnList = regexp.MustCompile(`SELECT ((\w\.)?\w+, ){3,}(\w\.)?\w+`)
	inserted   = regexp.MustCompile(`(INSERT INTO \w+) \(.*?\) VALUES \(…\)`)
	changed    = regexp.MustCompile(`(ON DUPLICATE KEY UPDATE) (.{30,})`)
	asTable    = regexp.MustCompile(`SELECT \? AS \w+(, \? AS \w+)*( UNION ALL SELECT (\?(, )?)+)*`)
	alias      = regexp.MustCompile(`(yanlink_\w+) AS (\w)\b`)
	spaces     = regexp.MustCompile(`\s+`)
)

// plainQuery is a statement without what makes it long.
func plainQuery(query string) string {
	query = spaces.ReplaceAllString(query, " ")
	query = columnList.ReplaceAllString(query, "SELECT …")
	query = manyValues.ReplaceAllString(query, "(…)")
	query = manyPairs.ReplaceAllString(query, "$1 OR …")
	query = asTable.ReplaceAllString(query, "…")
	query = inserted.ReplaceAllString(query, "$1 (…) VALUES (…)")
	query = changed.ReplaceAllString(query, "$1 …")
	if first, rest, many := strings.Cut(query, " UNION ALL (SELECT"); many && !strings.Contains(rest, " AS found") {
		query = first
	}
	return query
}

// line is a line of the table: one statement of one place, on each server where it read most.
type line struct {
	place place
	query string // as MariaDB gets it
	by    map[string]explained
}

// tableOf writes the table of docs/sql.md. The servers get other texts, in the same order at each place.
func tableOf(found map[string][]explained) string {
	var lines []*line
	known := map[string]*line{}
	for _, server := range servers {
		texts := map[place][]string{}
		numbers := map[string]int{}
		for _, x := range found[server.driver] {
			text := x.place.String() + plainQuery(x.query)
			if _, ok := numbers[text]; !ok {
				numbers[text] = len(texts[x.place])
				texts[x.place] = append(texts[x.place], text)
			}
			key := fmt.Sprint(x.place, numbers[text])
			l, ok := known[key]
			if !ok {
				l = &line{place: x.place, query: plainQuery(x.query), by: map[string]explained{}}
				known[key] = l
				lines = append(lines, l)
			}
			if most, there := l.by[server.driver]; !there || sumOf(x.accesses) > sumOf(most.accesses) {
				l.by[server.driver] = x
			}
		}
	}
	var b strings.Builder
	b.WriteString("| asked by | statement | MariaDB | PostgreSQL |\n|---|---|---|---|\n")
	for _, l := range lines {
		my, pg := l.by["mysql"], l.by["postgres"]
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", l.place.function, short(l.query), my.cell(), pg.cell())
	}
	return b.String()
}

func short(text string) string { return strings.ReplaceAll(text, "yanlink_", "") }

// cell says what was read, by which index.
func (x *explained) cell() string {
	names := map[string]string{}
	for _, found := range alias.FindAllStringSubmatch(x.query, -1) {
		names[found[2]] = found[1]
	}
	type key struct{ table, index string }
	sums, order := map[key]*access{}, []key{}
	for _, a := range x.accesses {
		if name, ok := names[a.table]; ok {
			a.table = name
		}
		k := key{a.table, a.index}
		if sums[k] == nil {
			sums[k] = &access{}
			order = append(order, k)
		}
		sums[k].rows += a.rows
		sums[k].pages += a.pages
	}
	var texts []string
	for _, k := range order {
		index := strings.TrimPrefix(short(k.index), short(k.table)+"_")
		switch index {
		case "PRIMARY", "pkey":
			index = "key"
		case "":
			index = "**whole table**"
		}
		text := fmt.Sprintf("%s, %s: %d", short(k.table), index, sums[k].rows)
		if sums[k].pages > 0 {
			text += fmt.Sprintf(" (%d pages)", sums[k].pages)
		}
		texts = append(texts, text)
	}
	if texts == nil {
		return "—"
	}
	return strings.Join(texts, "; ")
}
