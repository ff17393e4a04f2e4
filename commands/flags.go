package commands

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"etcdlua/runtime"
)

// groups are the sets of flags that a command shares with others. Every command has
// those of logging. The flags before the command's name have all groups.
type groups int

const (
	connecting groups = 1 << iota
	running
)

// allFlags makes the flags of a command anew: the library keeps what was typed in them.
func (c *command) allFlags() []cli.Flag {
	list := slices.Clone(c.flags)
	if c.groups&running != 0 {
		list = append(list, runningFlags()...)
	}
	if c.groups&connecting != 0 {
		list = append(list, connectionFlags()...)
	}
	list = append(append(list, loggingFlags()...),
		&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "print this help"})
	for i, f := range list {
		list[i] = namedFlag{f.(cli.DocGenerationFlag), f.Names()}
	}
	return list
}

// namedFlag keeps a flag's names. The library asks for them n² times at each start, and
// finds them with a regular expression each time: that were 0.5 ms.
type namedFlag struct {
	cli.DocGenerationFlag
	names []string
}

func (f namedFlag) Names() []string { return f.names }

// IsVisible puts the flag into fish's completion.
func (f namedFlag) IsVisible() bool { return true }

func runningFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "timeout", Usage: "end the run after `DURATION`, with exit code 6"},
		&cli.StringFlag{Name: "grace", Usage: "how long cleanup may take at the end, a `DURATION` (default 10s)"},
	}
}

func loggingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "log-level", Usage: "the least `LEVEL` that is logged: debug, info (default), warn or error"},
		&cli.StringFlag{Name: "log-format", Usage: "`FORMAT` of the log on standard error: text (default) or json"},
	}
}

// lookup returns what was typed for a flag. The one after the command's name wins over
// the one before it.
func lookup(x *cli.Context, name string) (value string, set bool) {
	for _, at := range x.Lineage() {
		if at.Command == nil || !at.IsSet(name) {
			continue
		}
		switch v := at.Value(name).(type) {
		case cli.StringSlice:
			return strings.Join(v.Value(), ","), true
		default:
			return fmt.Sprint(v), true
		}
	}
	return "", false
}

func textFlag(x *cli.Context, name string) string {
	value, _ := lookup(x, name)
	return value
}

// durationFlag reads a flag that must be longer than nothing; 0 when it was not typed.
func durationFlag(x *cli.Context, name string) (time.Duration, error) {
	text, set := lookup(x, name)
	if !set {
		return 0, nil
	}
	d, err := parseDuration(text)
	if err == nil && d <= 0 {
		err = fmt.Errorf("it must be longer than 0")
	}
	if err != nil {
		return 0, usageErrorf("--%s %q: %v", name, text, err)
	}
	return d, nil
}

// parseDuration takes what scripts can say too: seconds, or Go's "250ms".
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("not a duration: write seconds, or 250ms, 5s, 1h30m")
	}
	return d, nil
}

// scriptArgs are the arguments of a command. What follows a script is its own: an
// argument there that is spelled like a flag of the command is refused, for it was
// surely meant for the command, unless it stands behind "--". --help is the script's.
func (p *program) scriptArgs(c *command, args []string) ([]string, error) {
	if len(args) == 0 || p.afterDashes(args) {
		return args, nil
	}
	names := flagNames(c.allFlags())
	for i, arg := range args[1:] {
		if arg == "--" {
			return append(args[:i+1:i+1], args[i+2:]...), nil
		}
		name, isFlag := flagName(arg)
		if !isFlag || c.script && (isHelp(arg) || !slices.Contains(names, name)) {
			continue
		}
		if !c.script {
			return nil, usageErrorf("%s stands after %s, where no flag is read", arg, args[0]).
				withHint("put it before: etcdlua %s %s … %s", c.name, arg, args[0])
		}
		return nil, usageErrorf("%s stands after the script, where etcdlua does not read its flags", arg).
			withHint("put it before the script (etcdlua %s %s … %s), or after -- to hand it to the script", c.name, arg, shortArg(args[0]))
	}
	return args, nil
}

// afterDashes tells that "--" stood before the first argument, which the library drops.
func (p *program) afterDashes(args []string) bool {
	i := len(p.args) - len(args) - 1
	return i >= 0 && p.args[i] == "--"
}

// flagName is the name in an argument that is spelled like a flag.
func flagName(arg string) (name string, ok bool) {
	name = strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if name == arg || name == "" || name[0] == '-' || name[0] >= '0' && name[0] <= '9' {
		return "", false
	}
	name, _, _ = strings.Cut(name, "=")
	return name, true
}

func isHelp(arg string) bool { return arg == "--help" || arg == "-help" || arg == "-h" }

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// shortArg keeps a whole program (of eval) out of a hint.
func shortArg(arg string) string {
	if len(arg) > 30 || strings.ContainsAny(arg, "\n'\"( ") {
		return "…"
	}
	return arg
}

var (
	unknownFlag  = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	badFlagValue = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-(\S+): `)
	missingValue = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
)

// flagError puts what the library says about flags into our words.
func (p *program) flagError(c *command) cli.OnUsageErrorFunc {
	return func(_ *cli.Context, err error, _ bool) error {
		text := err.Error()
		help := strings.TrimSpace("etcdlua "+c.name) + " --help"
		if m := unknownFlag.FindStringSubmatch(text); m != nil {
			return p.unknownFlag(c, m[1])
		}
		if m := missingValue.FindStringSubmatch(text); m != nil {
			return usageErrorf("%s needs a value", dashed(m[1])).withHint("%s says which", help)
		}
		if m := badFlagValue.FindStringSubmatch(text); m != nil {
			return usageErrorf("%s is true or false, not %s", dashed(m[2]), m[1]).withHint("write %s, or %[1]s=false", dashed(m[2]))
		}
		return usageErrorf("%s", text).withHint("%s lists the flags", help)
	}
}

func (p *program) unknownFlag(c *command, name string) error {
	names := flagNames(c.allFlags())
	where := ""
	if c.name != "" {
		where = " of etcdlua " + c.name
	}
	e := usageErrorf("%s is no flag%s", dashed(name), where)
	if near := runtime.Nearest(name, names); near != "" && len(name) > 1 {
		return e.withHint("did you mean %s?", dashed(near))
	}
	return e.withHint("%s lists the flags", strings.TrimSpace("etcdlua "+c.name)+" --help")
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// looksLikeScript tells that a word in the place of a command is a script.
func looksLikeScript(word string) bool {
	if word == "-" || strings.HasSuffix(word, ".lua") {
		return true
	}
	info, err := os.Stat(word)
	return err == nil && !info.IsDir()
}
