// Command aila is the voice gateway and everything to run it with, as one binary. This
// package is the only one that knows all the others, and it only introduces them: it reads
// the configuration, builds, runs and drains. No rule of the protocol or of a session is here.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in what the operator asked for, as opposed to one in doing it.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run runs one command and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	began := false
	root := newRootCommand()
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	for _, line := range mistakes(err) {
		fmt.Fprintln(stderr, "aila: "+strings.Join(strings.Fields(line.Error()), " "))
	}
	// What fails before a command began is in how it was called.
	var usage usageError
	if !began || errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "aila",
		Short:         "Aila is a voice gateway: speak to a voice over one WebSocket",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagMistake)
	root.AddCommand(
		newServeCommand(),
		newTalkCommand(),
		newLoadCommand(),
		newTailCommand(),
		newTokenCommand(),
		newConfigCommand(),
		newVersionCommand(),
	)
	return root
}

// knownCommand runs when no command fits the first argument.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("unknown command %q%s (aila --help lists them)", args[0], suggest(args[0], names))
}

// flagMistake words a mistake in a flag like one in the environment or the file.
func flagMistake(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s: got %q, %w", invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap())
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		return fmt.Errorf("unknown flag --%s%s", name, suggest(name, names))
	}
	return err
}

// mistakes takes joined errors apart, since each has a line of its own.
func mistakes(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, mistakes(e)...)
	}
	return all
}
