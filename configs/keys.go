package configs

import (
	"reflect"
	"strings"
)

// EnvPrefix begins the name of every environment variable that sets a key.
const EnvPrefix = "YANLINK_"

// key is one setting: a leaf of Config.
type key struct {
	name   string // "sso.timeout"
	value  reflect.Value
	doc    string
	min    string
	max    string
	oneof  []string
	secret bool
}

// env is the environment variable that sets the key.
func (k *key) env() string { return EnvPrefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_")) }

// keys lists the settings of c in the order of its fields; setting a key's value changes c.
func keys(c *Config) []key { return leaves(reflect.ValueOf(c).Elem(), "") }

func leaves(section reflect.Value, prefix string) (list []key) {
	for i := range section.NumField() {
		field := section.Type().Field(i)
		name := prefix + field.Tag.Get("mapstructure")
		if field.Type.Kind() == reflect.Struct {
			list = append(list, leaves(section.Field(i), name+".")...)
			continue
		}
		k := key{
			name: name, value: section.Field(i), doc: field.Tag.Get("doc"),
			min: field.Tag.Get("min"), max: field.Tag.Get("max"), secret: field.Tag.Get("secret") != "",
		}
		if values := field.Tag.Get("oneof"); values != "" {
			k.oneof = strings.Split(values, ",")
		}
		list = append(list, k)
	}
	return list
}
