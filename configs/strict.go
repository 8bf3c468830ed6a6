package configs

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// strict is a decode hook that takes a value only if it can mean just one thing. Without it a bare 5 for a duration
// would be five nanoseconds, 1.9 would be 1 and true would be 1.
func strict(from, to reflect.Value) (any, error) {
	given := from.Interface()
	switch {
	case to.Type() == durationType:
		return strictDuration(given)
	case to.Kind() == reflect.Slice:
		return strictList(given, to.Type())
	case to.Kind() == reflect.Bool:
		return strictBool(given)
	case to.CanInt():
		return strictInt(given)
	case to.CanFloat():
		return strictFloat(given)
	case to.Kind() == reflect.String:
		return strictText(given)
	case to.Type() == reflect.TypeFor[ServiceKey]():
		return strictServiceKey(given)
	}
	return given, nil
}

func strictDuration(given any) (any, error) {
	switch v := given.(type) {
	case time.Duration:
		return v, nil
	case string:
		if _, err := strconv.ParseFloat(v, 64); err == nil && v != "0" {
			return nil, fmt.Errorf("%s has no unit; write %ss or %sms", v, v, v)
		}
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration; write one such as 500ms, 5s, 2m or 1h", v)
		}
		return d, nil
	case int, int64, uint64, float64:
		return nil, fmt.Errorf("%v has no unit; write %vs or %vms", v, v, v)
	}
	return nil, fmt.Errorf("%s is not a duration; write one such as 500ms, 5s, 2m or 1h", shown(given))
}

func strictBool(given any) (any, error) {
	switch v := given.(type) {
	case bool:
		return v, nil
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
	}
	return nil, fmt.Errorf("%s is neither true nor false; write one of them", shown(given))
}

func strictInt(given any) (any, error) {
	switch v := given.(type) {
	case int, int64:
		return v, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%s is not a whole number; write one such as 64", shown(given))
}

func strictFloat(given any) (any, error) {
	switch v := given.(type) {
	case int, int64, float64:
		return v, nil
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%s is not a number; write one such as 2.5", shown(given))
}

func strictText(given any) (any, error) {
	switch v := given.(type) {
	case string:
		return v, nil
	case nil:
		return "", nil
	case int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	}
	return nil, fmt.Errorf("%s is not a text; put it in quotes", shown(given))
}

// strictList takes a list, or a text that holds one: as JSON or, of texts, joined by commas.
func strictList(given any, to reflect.Type) (any, error) {
	text, ok := given.(string)
	switch {
	case !ok && given == nil, ok && strings.TrimSpace(text) == "":
		return reflect.Zero(to).Interface(), nil
	case !ok && reflect.TypeOf(given).Kind() == reflect.Slice:
		return given, nil
	case !ok:
		return nil, fmt.Errorf("%s is not a list; write [a, b]", shown(given))
	}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		var list []any
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, fmt.Errorf("it begins like a list in JSON but is none: %v", err) //nolint:errorlint // shown, not compared
		}
		return list, nil
	}
	if to.Elem().Kind() == reflect.Struct {
		return nil, fmt.Errorf(`a text is not a list of keys; write it in JSON: [{"name":"…","key":"…","scopes":["send"]}]`)
	}
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list, nil
}

func strictServiceKey(given any) (any, error) {
	fields, ok := given.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a key; write {name: …, key: …, scopes: [send]}", kindOf(given))
	}
	for name := range fields {
		if !slices.Contains([]string{"name", "key", "scopes"}, strings.ToLower(name)) {
			return nil, fmt.Errorf("%q is unknown; a key has name, key and scopes", name)
		}
	}
	return fields, nil
}

// kindOf says what a value is without quoting it: it may be a secret.
func kindOf(given any) string {
	switch given.(type) {
	case map[string]any, []any:
		return shown(given)
	}
	return "a plain value"
}

// shown is a value as a message may quote it.
func shown(given any) string {
	switch v := given.(type) {
	case nil:
		return "nothing"
	case string:
		if v == "" {
			return "an empty text"
		}
		return strconv.Quote(v)
	case map[string]any:
		return "a section"
	case []any:
		return "a list"
	}
	return fmt.Sprint(given)
}
