package commands

import (
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
func passwordAsker() func(string) (string, error) {
	if !isTerminal(os.Stdin) || !isTerminal(os.Stderr) {
		return nil
	}
	return func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		password, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		return string(password), err
	}
}
