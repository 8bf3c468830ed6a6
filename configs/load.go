package configs

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/spf13/viper"
)

// Load reads the file at path (YAML or JSON; "" for none) and, above it, the environment. What is set nowhere has its
// default. The error is a Problems when values are wrong, and it holds all of them, those of Validate included.
func Load(path string) (*Config, error) {
	file := viper.New()
	if path != "" {
		file.SetConfigFile(path)
		file.SetConfigType("yaml") // which JSON is, too
		if err := file.ReadInConfig(); err != nil {
			return nil, fmt.Errorf("the configuration file %s: %w", path, readable(err))
		}
	}
	v := viper.New()
	v.SetEnvPrefix(strings.TrimSuffix(EnvPrefix, "_"))
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AllowEmptyEnv(true) // an empty server.admin switches it off
	v.AutomaticEnv()
	if err := v.MergeConfigMap(file.AllSettings()); err != nil {
		return nil, fmt.Errorf("the configuration file %s: %w", path, err)
	}
	var problems Problems
	unknown(file.AllKeys(), &problems)
	return decode(v, secretFiles(v, &problems), problems)
}

// FromViper reads the section of a host's own configuration, with whatever the host has bound to it. Variables with our
// prefix are not looked at: a host that wants them binds them.
func FromViper(host *viper.Viper, section string) (*Config, error) {
	v := viper.New()
	var problems Problems
	if sub := host.Sub(section); sub != nil {
		unknown(sub.AllKeys(), &problems)
	}
	for _, k := range keys(&Config{}) {
		if name := section + "." + k.name; host.IsSet(name) {
			v.Set(k.name, host.Get(name))
		}
	}
	return decode(v, nil, problems)
}

// readable takes viper's repetition of the path out of an error.
func readable(err error) error {
	var parse viper.ConfigParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("it cannot be understood: %w", errors.Unwrap(parse))
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("it cannot be read: %w", path.Err)
	}
	return err
}

// secretFiles returns the secrets that stand in files named by variables.
func secretFiles(v *viper.Viper, problems *Problems) map[string]string {
	found := make(map[string]string)
	for _, k := range keys(&Config{}) {
		path, ok := os.LookupEnv(k.env() + "_FILE")
		if !k.secret || !ok {
			continue
		}
		if _, both := os.LookupEnv(k.env()); both {
			problems.add(k.name, "both %s and %s_FILE are set; keep one", k.env(), k.env())
			continue
		}
		text, err := os.ReadFile(path) //nolint:gosec // reading the file it names is what the variable is for
		if err != nil {
			problems.add(k.name, "the file that %s_FILE names cannot be read: %v", k.env(), readable(err))
			continue
		}
		found[k.name] = strings.TrimRight(string(text), "\r\n")
	}
	return found
}

// decode sets each key on its own, so that one wrong value does not hide the next.
func decode(v *viper.Viper, secrets map[string]string, problems Problems) (*Config, error) {
	c := Default()
	for _, k := range keys(c) {
		if secret, ok := secrets[k.name]; ok {
			v.Set(k.name, secret)
		}
		if !v.IsSet(k.name) {
			continue
		}
		into := reflect.New(k.value.Type())
		if err := v.UnmarshalKey(k.name, into.Interface(), viper.DecodeHook(strict)); err != nil {
			problems.add(k.name, "%s", plain(err))
			continue
		}
		if value := into.Elem(); value.Kind() == reflect.Slice && value.Len() == 0 {
			k.value.SetZero() // an empty list is none, however it was written
		} else {
			k.value.Set(value)
		}
	}
	if err := c.Validate(); err != nil {
		var more Problems
		errors.As(err, &more)
		problems = append(problems, more...)
	}
	return c, problems.err()
}

// plain takes mapstructure's frame off an error, which names Go types.
func plain(err error) string {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
