package commands

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

func (p *program) configCommand() *command {
	show := &command{
		name: "config show", short: "Prints the connection settings and where each one comes from.",
		long: `
Flags win over variables. Passwords and tokens are masked. Nothing is connected to.`,
		examples: []string{"etcdlua config show", "ETCDCTL_ENDPOINTS=10.0.0.1:2379 etcdlua config show"},
		exits:    []int{exitDone, exitUsage},
		groups:   connecting | running,
		run:      (*call).configShow,
	}
	return &command{
		name: "config", args: "COMMAND", short: "Shows the connection settings.",
		exits: []int{exitDone, exitUsage}, groups: connecting | running, sub: []*command{show},
		run: func(c *call) error {
			if len(c.args) > 0 {
				return usageErrorf("config has no command %q", c.args[0]).withHint("did you mean: etcdlua config show")
			}
			return usageErrorf("config needs a command").withHint("etcdlua config show")
		},
	}
}

func (c *call) configShow() error {
	if len(c.args) > 0 {
		return usageErrorf("config show takes no arguments, but %q is given", c.args[0])
	}
	t, err := c.target()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.streams.Out, 0, 8, 2, ' ', 0)
	for _, s := range t.settings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, s.shown(), s.source)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.streams.Out, "\n%s\n", t.summary()); err != nil {
		return err
	}
	for _, s := range c.strangers() {
		line := fmt.Sprintf("etcdlua: the variable %s is set, but means nothing", s[0])
		if s[1] != "" {
			line += fmt.Sprintf(" (did you mean ETCDCTL_%s?)", strings.ToUpper(strings.ReplaceAll(s[1], "-", "_")))
		}
		fmt.Fprintln(c.streams.Err, line)
	}
	return nil
}

// shown is the value as it may be seen by others.
func (s said) shown() string {
	switch {
	case s.value == "":
		return "-"
	case !s.secret:
		return s.value
	case s.name == "user":
		name, _, hasPassword := strings.Cut(s.value, ":")
		if hasPassword {
			name += ":***"
		}
		return name
	}
	return "***"
}

// summary says what run would do.
func (t target) summary() string {
	switch {
	case t.embedded && t.said:
		return "run connects to a throw-away etcd inside the process (--embedded)."
	case t.embedded:
		return "No endpoint is given: run uses a throw-away etcd inside the process."
	case t.config.DiscoverySRV != "":
		return "run asks DNS for the endpoints of " + t.config.DiscoverySRV + "."
	}
	return "run connects to " + strings.Join(t.config.Endpoints, ", ") + "."
}
