package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// newConfigCommand prints what `aila serve` would run with.
func newConfigCommand() *cobra.Command {
	c := defaults()
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print what `aila serve` would run with, and where each value came from",
		Long: "Print what `aila serve` would run with, and where each value came from.\n\n" +
			"Takes the flags of `aila serve`. Flags beat AILA_... environment variables, those beat the file of --config.\n" +
			"What it prints is such a file.",
		Args: cobra.NoArgs,
	}
	from := bind(cmd.Flags(), &c)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := from.read(); err != nil {
			return err
		}
		if err := from.print(cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("print config: %w", err)
		}
		return c.check()
	}
	return cmd
}

// print writes the knobs as YAML that --config takes, each with where it came from.
func (s *sources) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range s.knobs {
		if k.secret && show(k.value.Get()) != "" {
			fmt.Fprintf(w, "# %s: (hidden)\t# %s\n", k.name, s.from[k.name])
			continue
		}
		shown, err := flow(k.value.Get())
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s\t# %s\n", k.name, shown, s.from[k.name])
	}
	return w.Flush()
}

// flow writes one value as YAML on one line.
func flow(v any) (string, error) {
	if list, ok := v.([]string); ok && list == nil {
		v = []string{}
	}
	var node yaml.Node
	if err := node.Encode(v); err != nil {
		return "", err
	}
	node.Style |= yaml.FlowStyle
	raw, err := yaml.Marshal(&node)
	return strings.TrimSpace(string(raw)), err
}
