package commands

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is how long a line of help may be.
const helpWidth = 80

// helpTemplate is the help as the library's template, in which nothing is left to fill
// in. A start that is not about help does without.
func (p *program) helpTemplate(c *command) string {
	if !slices.ContainsFunc(p.args, func(a string) bool { return strings.HasPrefix(a, "-h") || strings.HasPrefix(a, "--h") }) {
		return ""
	}
	return strings.ReplaceAll(helpText(c), "{{", `{{"{{"}}`)
}

// helpText is a command's help.
func helpText(c *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage: %s\n", c.short, c.usage())
	if c.long != "" {
		b.WriteString("\n" + flow(c.long) + "\n")
	}
	if len(c.sub) > 0 {
		b.WriteString("\nCommands:\n")
		var rows [][2]string
		for _, s := range c.sub {
			rows = append(rows, [2]string{strings.TrimPrefix(s.name, "config "), s.short})
		}
		writeRows(&b, rows)
	}
	if len(c.examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, e := range c.examples {
			b.WriteString("  " + strings.ReplaceAll(e, "\n", "\n  ") + "\n")
		}
	}
	writeFlagHelp(&b, c)
	if len(c.exits) > 0 {
		b.WriteString("\nExit codes:\n")
		writeRows(&b, exitRows(c.exits))
	}
	return b.String()
}

// flow wraps paragraphs; lines that are indented stay as they are.
func flow(text string) string {
	paragraphs := strings.Split(strings.Trim(text, "\n"), "\n\n")
	for i, p := range paragraphs {
		if !strings.HasPrefix(p, " ") {
			paragraphs[i] = wrap(p, 0)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

func (c *command) usage() string {
	words := []string{"etcdlua", c.name, "[flags]", c.args}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// writeFlagHelp lists a command's own flags; those of the connection are told in full
// in one place only, the help of the program.
func writeFlagHelp(b *strings.Builder, c *command) {
	own := append(append([]cli.Flag{}, c.flags...), loggingFlags()...)
	if c.groups&running != 0 {
		own = append(runningFlags(), own...)
	}
	b.WriteString("\nFlags:\n")
	writeRows(b, flagRows(own))
	if c.groups&connecting == 0 {
		return
	}
	if c.name != "" {
		b.WriteString("\nConnection flags (--endpoints, --embedded, --cacert, --user and others) and the\n" +
			"variables ETCDCTL_* are those of etcdctl: see etcdlua --help.\n")
		return
	}
	b.WriteString("\nConnection flags; the variable of each is ETCDCTL_ and its name, as etcdctl's:\n")
	writeRows(b, flagRows(connectionFlags()))
	b.WriteString("\nFlags may stand before and after the command's name, but not after a script:\n" +
		"what follows a script is handed to it.\n")
}

func flagRows(flags []cli.Flag) [][2]string {
	var rows [][2]string
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		usage := doc.GetUsage()
		name := ""
		for _, n := range f.Names() {
			name = strings.TrimPrefix(name+", "+dashed(n), ", ")
		}
		if _, rest, ok := strings.Cut(usage, "`"); ok {
			value, _, _ := strings.Cut(rest, "`")
			name += " " + value
		}
		usage = strings.Replace(usage, ", a `DURATION`", "", 1)
		rows = append(rows, [2]string{name, strings.ReplaceAll(usage, "`", "")})
	}
	return rows
}

func exitRows(codes []int) [][2]string {
	var rows [][2]string
	for _, code := range codes {
		for _, e := range exitHelp {
			if e.code == code {
				rows = append(rows, [2]string{fmt.Sprint(code), e.text})
			}
		}
	}
	return rows
}

func allExits() []int {
	var codes []int
	for _, e := range exitHelp {
		codes = append(codes, e.code)
	}
	return codes
}

// writeRows writes two columns, the second one wrapped.
func writeRows(w io.Writer, rows [][2]string) {
	column := 0
	for _, r := range rows {
		column = max(column, len(r[0])+4)
	}
	for _, r := range rows {
		fmt.Fprintf(w, "  %-*s%s\n", column-2, r[0], wrap(r[1], column))
	}
}

// wrap breaks text between words into lines that begin at column.
func wrap(text string, column int) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case at+1+n > helpWidth:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

func (p *program) helpCommand() *command {
	return &command{
		name: "help", args: "[COMMAND]", short: "Prints the help of a command.",
		examples: []string{"etcdlua help run"},
		exits:    []int{exitDone, exitUsage},
		run: func(c *call) error {
			all := p.commands()
			if len(c.args) == 0 {
				_, err := io.WriteString(p.streams.Out, helpText(p.rootCommand(all)))
				return err
			}
			name := strings.Join(c.args, " ")
			for _, k := range all {
				for _, k := range append([]*command{k}, k.sub...) {
					if k.name == name {
						_, err := io.WriteString(p.streams.Out, helpText(k))
						return err
					}
				}
			}
			return c.unknownCommand(c.args[0], all)
		},
	}
}
