package commands

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// ProcessStreams are the streams and the environment of this process, for main.
func ProcessStreams() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ(),
		OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr), AskPassword: passwordAsker(),
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// passwordAsker reads a password from the terminal without showing it; nil when
// standard input is none.
func passwordAsker() func(context.Context, string) (string, error) {
	if !isTerminal(os.Stdin) || !isTerminal(os.Stderr) {
		return nil
	}
	return func(ctx context.Context, prompt string) (string, error) {
		terminal := int(os.Stdin.Fd())
		before, err := term.GetState(terminal)
		if err != nil {
			return "", err
		}
		fmt.Fprint(os.Stderr, prompt)
		password, err := interruptible(ctx, func() ([]byte, error) { return term.ReadPassword(terminal) })
		fmt.Fprintln(os.Stderr)
		if ctx.Err() != nil { // the read goes on, without an echo
			err = errors.Join(err, term.Restore(terminal, before))
		}
		return string(password), err
	}
}
