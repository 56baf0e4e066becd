package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aila/transport/auth"
)

// newTokenCommand mints a client's token, for trying and for scripts. A web application does
// the same itself with any JWT library, or asks POST /api/v1/tokens.
func newTokenCommand() *cobra.Command {
	c := defaults()
	subject, ttl := "", 15*time.Minute
	cmd := &cobra.Command{
		Use:     "token --sub NAME",
		Short:   "Print a token with which a client may connect",
		Example: "  aila token --sub alice --auth-secret-file secret",
		Args:    cobra.NoArgs,
	}
	from := bind(cmd.Flags(), &c, "auth-secret-file")
	cmd.Flags().StringVar(&subject, "sub", "", "`name` of who the token speaks for")
	cmd.Flags().Var(span(&ttl, time.Second, 24*time.Hour), "ttl", "how long the token is good")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := from.read(); err != nil {
			return err
		}
		if subject == "" {
			return usageError{fmt.Errorf("--sub is missing: name who the token speaks for")}
		}
		if c.AuthSecretFile == "" {
			return usageError{fmt.Errorf("--auth-secret-file is missing: give the file that aila serve was given")}
		}
		tokens, err := readTokens(c.AuthSecretFile)
		if err != nil {
			return err
		}
		token, err := tokens.Mint(subject, ttl)
		if err != nil {
			return fmt.Errorf("mint token: %w", err)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
		return err
	}
	return cmd
}

// readTokens reads the secret that signs and checks clients' tokens.
func readTokens(path string) (*auth.Tokens, error) {
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --auth-secret-file: %w", err)
	}
	tokens, err := auth.NewTokens(secret)
	if err != nil {
		return nil, fmt.Errorf("--auth-secret-file %s: %w", path, err)
	}
	return tokens, nil
}

// readOperator reads the token that operators send.
func readOperator(path string) (*auth.Operator, error) {
	token, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --operator-token-file: %w", err)
	}
	operator, err := auth.NewOperator(token)
	if err != nil {
		return nil, fmt.Errorf("--operator-token-file %s: %w", path, err)
	}
	return operator, nil
}
