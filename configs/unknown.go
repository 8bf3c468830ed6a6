package configs

import (
	"slices"
	"strings"
)

// unknown reports the given keys, in viper's lower case, that are no settings, each with the one that was probably meant.
func unknown(given []string, problems *Problems) {
	known := make(map[string]string) // lower case to real
	for _, k := range keys(&Config{}) {
		known[strings.ToLower(k.name)] = k.name
	}
	slices.Sort(given)
	for _, name := range given {
		if _, ok := known[name]; ok {
			continue
		}
		switch {
		case hasBelow(known, name):
			problems.add(name, "a section, not a value; set the keys below it")
		case !isBelow(known, name): // else decoding the setting above it says so
			problems.add(name, "unknown key%s", meant(known, name))
		}
	}
}

// unknownVariables reports the variables with our prefix that set nothing.
func unknownVariables(environment []string, problems *Problems) {
	known := make(map[string]string) // variable to key
	lower := make(map[string]string) // key in lower case to the real one
	for _, k := range keys(&Config{}) {
		known[k.env()] = k.name
		if k.secret {
			known[k.env()+"_FILE"] = k.name
		}
		lower[strings.ToLower(k.name)] = k.name
	}
	slices.Sort(environment)
	for _, line := range environment {
		name, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, EnvPrefix) || known[name] != "" {
			continue
		}
		as := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, EnvPrefix), "_", "."))
		problems.add(name, "unknown variable%s", meantVariable(lower, as))
	}
}

// meantVariable is meant, of variables.
func meantVariable(known map[string]string, name string) string {
	hint, isKey := strings.CutPrefix(meant(known, name), "; did you mean ")
	if !isKey {
		return hint
	}
	key := strings.TrimSuffix(hint, "?")
	return "; did you mean " + EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) + "?"
}

func isBelow(known map[string]string, name string) bool {
	for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name[:at], '.') {
		if _, ok := known[name[:at]]; ok {
			return true
		}
	}
	return false
}

func hasBelow(known map[string]string, name string) bool {
	for k := range known {
		if strings.HasPrefix(k, name+".") {
			return true
		}
	}
	return false
}

// meant returns a hint at the nearest setting, or at the table of all of them.
func meant(known map[string]string, name string) string {
	best, distance := "", 1+len(name)/3
	for lower, real := range known {
		d := edits(name, lower)
		if last := lower[strings.LastIndexByte(lower, '.')+1:]; last == name[strings.LastIndexByte(name, '.')+1:] {
			d = min(d, 2) // the right name in the wrong section
		}
		if d < distance || d == distance && best != "" && real < best {
			best, distance = real, d
		}
	}
	if best == "" {
		return "; see docs/configuration.md for those there are"
	}
	return "; did you mean " + best + "?"
}

// edits is the Levenshtein distance of a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
