package configs

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/spf13/viper"
)

// Remote fetches the text of a configuration that is kept elsewhere, in YAML.
type Remote func(Nacos) (string, error)

// Load reads the file at path (YAML or JSON; "" for none) and, above it, the environment. What is set nowhere has its
// default. The error is a Problems when values are wrong, and it holds all of them, those of Validate included.
func Load(path string) (*Config, error) { return LoadWith(path, nil) }

// LoadWith is Load; where discovery.nacos.config names a configuration, it also reads that, below the file.
func LoadWith(path string, remote Remote) (*Config, error) {
	file, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration file %s: %w", path, readable(err))
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
	unknownVariables(os.Environ(), &problems)
	secrets := secretFiles(v, &problems)
	if remote == nil {
		return decode(v, secrets, problems)
	}
	// What says where the rest is may be wrong itself, which is told with the rest.
	if c, _ := decode(v, secrets, nil); c.Discovery.Driver == "nacos" && c.Discovery.Nacos.Config != "" {
		if err := mergeRemote(v, file, c.Discovery.Nacos, remote, &problems); err != nil {
			return nil, err
		}
	}
	return decode(v, secrets, problems)
}

func readFile(path string) (*viper.Viper, error) {
	file := viper.New()
	if path == "" {
		return file, nil
	}
	file.SetConfigFile(path)
	file.SetConfigType("yaml") // which JSON is, too
	return file, file.ReadInConfig()
}

// mergeRemote puts what is kept elsewhere below the file.
func mergeRemote(v, file *viper.Viper, at Nacos, remote Remote, problems *Problems) error {
	text, err := remote(at)
	if err != nil {
		return fmt.Errorf("discovery.nacos.config: %w", err)
	}
	kept := viper.New()
	kept.SetConfigType("yaml")
	if err := kept.ReadConfig(strings.NewReader(text)); err != nil {
		return fmt.Errorf("discovery.nacos.config: %s: %w", at.Config, readable(err))
	}
	unknown(kept.AllKeys(), problems)
	return errors.Join(v.MergeConfigMap(kept.AllSettings()), v.MergeConfigMap(file.AllSettings()))
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
		return fmt.Errorf("it cannot be understood:%s", structure(errors.Unwrap(parse)))
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("it cannot be read: %w", path.Err)
	}
	return err
}

// goTypes is how YAML's parser says that a file's top is no section.
var goTypes = regexp.MustCompile("cannot unmarshal !!(\\w+)(?: `.*`)? into .*")

// structure says what is wrong with a text as YAML: one mistake in the same line, several one a line.
func structure(err error) string {
	_, list, several := strings.Cut(err.Error(), "yaml: unmarshal errors:\n")
	if !several {
		return " " + strings.TrimPrefix(err.Error(), "yaml: ")
	}
	list = goTypes.ReplaceAllString(list, "it holds a $1 where sections belong")
	list = strings.NewReplacer("a seq ", "a list ", "a str ", "a text ").Replace(list)
	if lines := strings.Split(strings.TrimSpace(list), "\n"); len(lines) == 1 {
		return " " + lines[0]
	}
	return "\n" + list
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
			addFaults(&problems, k.name, err)
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

// framed is the place below its key that mapstructure gives a fault.
var framed = regexp.MustCompile(`^'([^']*)' `)

// addFaults notes each fault of a decoding error, with its place below the key.
func addFaults(problems *Problems, key string, err error) {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next // without the frames that name Go types
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		place := ""
		if found := framed.FindStringSubmatch(line); found != nil {
			place, line = found[1], line[len(found[0]):]
		}
		problems.add(key+place, "%s", line)
	}
}
