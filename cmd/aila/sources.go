package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// envPrefix begins the name of every environment variable of ours.
const envPrefix = "AILA_"

// sources reads the knobs from wherever they were turned: flags beat the environment, the
// environment beats the file, the file beats the defaults.
type sources struct {
	c     *config
	knobs []knob
	flags *pflag.FlagSet
	file  string // of --config
	// from says where each knob's value came from, once read returned.
	from map[string]string
}

// bind gives the flag set a flag for each knob of c, or only for those named, and --config.
// The knobs without a flag are read from the environment and the file all the same.
func bind(flags *pflag.FlagSet, c *config, named ...string) *sources {
	s := &sources{c: c, knobs: knobs(c), flags: flags, from: map[string]string{}}
	for _, k := range s.knobs {
		if len(named) > 0 && !slices.Contains(named, k.name) {
			continue
		}
		f := flags.VarPF(k.value, k.name, "", k.help)
		if k.value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	flags.StringVar(&s.file, "config", "", "YAML `file` with a line for each flag, without the dashes before it")
	flags.SortFlags = false
	return s
}

// read brings in the environment and the file; the flags are there already. Each mistake is
// one line of the error.
func (s *sources) read() error {
	file, path, fileErr := s.readFile()
	environment, envErr := s.readEnv()
	if err := errors.Join(fileErr, envErr); err != nil {
		return err
	}
	var wrong []error
	for _, k := range s.knobs {
		var got, source string
		switch {
		case s.flags.Changed(k.name):
			s.from[k.name] = "--" + k.name
			continue
		case environment.Exists(k.name):
			got, source = environment.String(k.name), envName(k.name)
		case file.Get(k.name) != nil:
			got, source = fileText(file, k.name), path
		default:
			s.from[k.name] = "default"
			continue
		}
		err := k.value.Set(got)
		if _, isList := file.Get(k.name).([]any); isList && source == path && k.value.Type() != "strings" {
			err = errors.New("want one value, not a list")
		}
		if err != nil {
			wrong = append(wrong, usageError{fmt.Errorf("%s: got %q, %w", naming(source, k.name), mask(k, got), err)})
		}
		s.from[k.name] = source
	}
	if s.c.MaxSockets == 0 {
		s.c.MaxSockets = s.c.MaxSessions + s.c.MaxSessions/4
		s.from["max-sockets"] = "1.25 times max-sessions"
	}
	return errors.Join(wrong...)
}

// readFile reads the file of --config or AILA_CONFIG, if there is one, and tells its path.
func (s *sources) readFile() (*koanf.Koanf, string, error) {
	k := koanf.New(".")
	path := s.file
	if path == "" {
		path = os.Getenv(envPrefix + "CONFIG")
	}
	if path == "" {
		return k, "", nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read --config: %w", err)
	}
	if err := k.Load(rawbytes.Provider(raw), yaml.Parser()); err != nil {
		return nil, "", usageError{fmt.Errorf("%s: %w", path, err)}
	}
	var wrong []error
	for _, name := range k.Keys() {
		if !s.known(name) {
			wrong = append(wrong, usageError{fmt.Errorf("%s: unknown knob %q%s", path, name, suggest(name, s.names()))})
		}
	}
	return k, path, errors.Join(wrong...)
}

// foreign matches what a cluster sets for a service named aila, and what other commands read.
var foreign = regexp.MustCompile(`^AILA_((.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP).*)?)|CONFIG|URL|TOKEN|OPERATOR_TOKEN)$`)

// readEnv reads the AILA_ variables. An empty one counts as not set.
func (s *sources) readEnv() (*koanf.Koanf, error) {
	k := koanf.New(".")
	var wrong []error
	take := func(name, got string) (string, any) {
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), "_", "-")
		switch {
		case foreign.MatchString(name), got == "":
			return "", nil
		case !s.known(key) || envName(key) != name:
			var all []string
			for _, n := range s.names() {
				all = append(all, envName(n))
			}
			wrong = append(wrong, usageError{fmt.Errorf("unknown environment variable %s%s", name, suggest(name, all))})
			return "", nil
		}
		return key, got
	}
	if err := k.Load(env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: take}), nil); err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return k, errors.Join(wrong...)
}

func (s *sources) known(name string) bool { return slices.Contains(s.names(), name) }

func (s *sources) names() []string {
	var all []string
	for _, k := range s.knobs {
		all = append(all, k.name)
	}
	return all
}

func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// fileText is the value in the file as a flag would have it.
func fileText(file *koanf.Koanf, name string) string {
	if _, ok := file.Get(name).([]any); ok {
		return strings.Join(file.Strings(name), ",")
	}
	return file.String(name)
}

// naming is how an error names a knob that source turned: a variable's name says it all.
func naming(source, name string) string {
	if strings.HasPrefix(source, envPrefix) {
		return source
	}
	return source + ": " + name
}

func mask(k knob, got string) string {
	if k.secret {
		return "(hidden)"
	}
	return got
}

// suggest names what was probably meant, or nothing where nothing is near.
func suggest(got string, names []string) string {
	best, distance := "", max(1, len(got)/3)
	for _, name := range names {
		if d := edits(got, name); d <= distance {
			best, distance = name, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// edits is how many letters must be added, dropped or changed to turn a into b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
