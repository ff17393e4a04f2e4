package commands

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"etcdlua/runtime"
)

// Streams are the world around a program: what main takes from the process, and a test
// makes up.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Environ  []string // as os.Environ

	OutTerminal, ErrTerminal bool // whether a person looks at it

	// AskPassword asks the person for a password, with the prompt, and leaves the terminal
	// as it was when ctx ends; nil when there is nobody.
	AskPassword func(ctx context.Context, prompt string) (string, error)

	// AtAbort takes what is left to do when the process is ended in the middle of
	// everything, by a second signal; forget takes it back. Nil where that cannot be.
	AtAbort func(f func()) (forget func())
}

// Run runs the command that args, which do not begin with the program's name, ask for,
// and returns the exit code. It waits until everything that it started has ended. When
// ctx ends, so does what runs; its cause should be an [*Interrupted].
func Run(ctx context.Context, args []string, s Streams) int {
	p := &program{streams: s, args: args, out: &output{w: s.Out}}
	p.streams.Out = p.out
	err := p.run(ctx)
	if p.out.err != nil && (err == nil || errors.Is(err, p.out.err)) {
		err = &runtime.OutputError{Err: p.out.err}
	}
	p.report(err)
	return exitCode(err)
}

// program is one run of the program.
type program struct {
	streams Streams
	args    []string
	out     *output
}

// output remembers that standard output could not be written.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// command describes a command: what its help says, and what it does.
type command struct {
	name     string
	args     string // as its usage shows them
	short    string // one sentence
	long     string // paragraphs after it
	examples []string
	exits    []int // of exitHelp
	flags    []cli.Flag
	groups   groups
	script   bool // what follows the first argument belongs to a script
	sub      []*command
	complete func() []string // what the first argument can be
	run      func(c *call) error
}

// call is a command that was typed.
type call struct {
	*program
	command *command
	ctx     context.Context
	flags   *cli.Context
	log     *slog.Logger
	args    []string
}

func (p *program) commands() []*command {
	return []*command{
		p.runCommand(), p.evalCommand(), p.checkCommand(), p.docsCommand(), p.typesCommand(),
		p.etcdCommand(), p.configCommand(), p.versionCommand(), p.completionCommand(), p.helpCommand(),
	}
}

func (p *program) run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{value: r, stack: string(debug.Stack())}
		}
	}()
	if slices.Contains(p.args, "--") && slices.Contains(p.args, completeFlag) {
		return nil // the library would take the request for an argument, and run the script
	}
	return p.app().RunContext(ctx, append([]string{"etcdlua"}, p.args...))
}

// completeFlag is what completion scripts put at the end of the line.
const completeFlag = "--generate-bash-completion"

func (p *program) app() *cli.App {
	all := p.commands()
	root := p.rootCommand(all)
	app := &cli.App{
		Name: "etcdlua", Usage: root.short, Compiled: time.Unix(1, 0),
		HideHelp: true, HideVersion: true, EnableBashCompletion: true,
		CustomAppHelpTemplate: p.helpTemplate(root),
		Flags:                 root.allFlags(),
		Reader:                p.streams.In, Writer: p.streams.Out, ErrWriter: p.streams.Err,
		Action:         p.action(root),
		OnUsageError:   p.flagError(root),
		ExitErrHandler: func(*cli.Context, error) {}, // Run reports
	}
	for _, c := range all {
		app.Commands = append(app.Commands, p.build(c))
	}
	return app
}

// rootCommand is what runs when no command was typed.
func (p *program) rootCommand(all []*command) *command {
	return &command{
		name: "", args: "COMMAND", short: "Runs Lua scripts against etcd.",
		groups: connecting | running, sub: all, exits: allExits(),
		flags: []cli.Flag{&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"}},
		run: func(c *call) error {
			if c.flags.Bool("version") {
				return c.printVersion()
			}
			return c.noCommand(all)
		},
	}
}

// typedFlags are the flags of a command whose name was typed; making those of all the
// others would be a good part of what the start costs.
func (p *program) typedFlags(c *command) []cli.Flag {
	if !slices.Contains(p.args, strings.TrimPrefix(c.name, "config ")) {
		return nil
	}
	return c.allFlags()
}

func (p *program) build(c *command) *cli.Command {
	built := &cli.Command{
		Name: strings.TrimPrefix(c.name, "config "), Usage: c.short, HideHelp: true,
		CustomHelpTemplate: p.helpTemplate(c),
		Flags:              p.typedFlags(c),
		Action:             p.action(c),
		OnUsageError:       p.flagError(c),
	}
	for _, sub := range c.sub {
		built.Subcommands = append(built.Subcommands, p.build(sub))
	}
	if c.complete != nil {
		built.BashComplete = func(x *cli.Context) {
			for _, word := range c.complete() {
				_, _ = io.WriteString(x.App.Writer, word+"\n")
			}
		}
	}
	return built
}

// action runs a command with what all of them need.
func (p *program) action(c *command) cli.ActionFunc {
	return func(x *cli.Context) error {
		log, err := newLogger(p.streams, textFlag(x, "log-format"), textFlag(x, "log-level"))
		if err != nil {
			return err
		}
		args := x.Args().Slice()
		if !c.script && slices.ContainsFunc(args, isHelp) {
			_, err := io.WriteString(p.streams.Out, helpText(c))
			return err
		}
		if args, err = p.scriptArgs(c, args); err != nil {
			return err
		}
		return c.run(&call{program: p, command: c, ctx: x.Context, flags: x, log: log, args: args})
	}
}

// panicError is a Go panic outside of any script.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return "Go panic" }

// unknownCommand is a first word that is no command.
func (c *call) unknownCommand(word string, known []*command) error {
	if looksLikeScript(word) {
		return usageErrorf("%q is no command", word).
			withHint("did you mean: etcdlua run %s", strings.Join(c.args, " "))
	}
	var names []string
	for _, k := range known {
		names = append(names, k.name)
	}
	e := usageErrorf("%q is no command", word)
	if near := runtime.Nearest(word, names); near != "" {
		rest := append([]string{near}, c.args[1:]...)
		return e.withHint("did you mean: etcdlua %s", strings.Join(rest, " "))
	}
	return e.withHint("commands: %s; etcdlua --help says more", strings.Join(names, ", "))
}

func (c *call) noCommand(all []*command) error {
	switch {
	case len(c.args) > 0:
		return c.unknownCommand(c.args[0], all)
	case len(c.program.args) > 0:
		return usageErrorf("no command").withHint("etcdlua --help lists them")
	}
	_, err := io.WriteString(c.streams.Out, helpText(c.command))
	return err
}
