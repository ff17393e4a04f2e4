package reference

import (
	"fmt"
	"strings"
)

// width is how long a line may be.
const width = 80

// Index renders the list of modules, a line each.
func Index(modules []*Module) string {
	var rows []Param
	for _, m := range modules {
		rows = append(rows, Param{Name: m.Name, Doc: firstSentence(m.Doc)})
	}
	var p printer
	p.rows(0, rows)
	return p.String()
}

// Render renders the page of a module: what it is, and a line for each thing in it.
func (m *Module) Render() string {
	var p printer
	p.line("%s", m.Name)
	p.text(m.Doc)
	p.summary("Functions", m.Entries)
	for _, c := range m.Classes {
		p.class(c)
	}
	if len(m.Aliases) > 0 {
		p.heading("Types")
		p.params(m.Aliases)
	}
	return p.String()
}

// Render renders the page of a class.
func (c *Class) Render() string {
	var p printer
	p.class(c)
	return strings.TrimPrefix(p.String(), "\n")
}

// Render renders the page of a function.
func (e *Entry) Render() string {
	var p printer
	p.line("%s", e.signature())
	p.text(e.Doc)
	if e.Args == "" {
		return p.String()
	}
	if len(e.Params) > 0 {
		p.heading("Parameters")
		p.params(e.Params)
	}
	if len(e.Returns) > 0 {
		p.heading("Returns")
		p.results(e.Returns)
	}
	if e.Example != "" {
		p.heading("Example")
		for _, line := range strings.Split(e.Example, "\n") {
			p.line("%s", strings.TrimRight("  "+line, " "))
		}
	}
	return p.String()
}

// signature is the call with the types of its results where they are short.
func (e *Entry) signature() string {
	var results []string
	for _, r := range e.Returns {
		results = append(results, r.Type)
	}
	s := e.call()
	if list := strings.Join(results, ", "); list != "" && len(s)+len(list) <= width-6 {
		s += " -> " + list
	}
	return s
}

// call is the function as it is called, with optional parameters in brackets.
func (e *Entry) call() string {
	inner := strings.TrimSuffix(strings.TrimPrefix(e.Args, "("), ")")
	if e.Args == "" || inner == "" {
		return e.Name + e.Args
	}
	optional := map[string]bool{}
	for _, p := range e.Params {
		optional[p.Name] = p.Optional
	}
	var b strings.Builder
	for i, name := range strings.Split(inner, ",") {
		name = strings.TrimSpace(name)
		switch {
		case optional[name] && i > 0:
			name = " [, " + name + "]"
		case optional[name]:
			name = "[" + name + "]"
		case i > 0:
			name = ", " + name
		}
		b.WriteString(name)
	}
	return e.Name + "(" + b.String() + ")"
}

type printer struct{ strings.Builder }

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *printer) heading(text string) { p.line("\n%s:", text) }

// text prints paragraphs after an empty line, wrapped.
func (p *printer) text(doc string) {
	if doc == "" {
		return
	}
	for _, paragraph := range strings.Split(doc, "\n\n") {
		p.line("")
		p.hanging("", strings.Join(strings.Fields(paragraph), " "), 0)
	}
}

// hanging prints text wrapped after lead; the lines after the first begin at column indent.
func (p *printer) hanging(lead, text string, indent int) {
	line, empty := lead, true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > width {
			p.line("%s", strings.TrimRight(line, " "))
			line, empty = strings.Repeat(" ", indent), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.line("%s", strings.TrimRight(line, " "))
}

// rows prints names and texts in two columns. A name that is too long for the first
// one has a line of its own.
func (p *printer) rows(indent int, rows []Param) {
	const longest = 30
	column := 0
	for _, r := range rows {
		if n := indent + len(r.Name) + 2; n <= longest {
			column = max(column, n)
		}
	}
	column = max(column, indent+4)
	for _, r := range rows {
		lead := strings.Repeat(" ", indent) + r.Name
		if len(lead)+2 > column && r.Doc != "" {
			p.line("%s", lead)
			lead = ""
		}
		p.hanging(lead+strings.Repeat(" ", max(0, column-len(lead))), r.Doc, column)
	}
}

func (p *printer) summary(title string, entries []*Entry) {
	if len(entries) == 0 {
		return
	}
	p.heading(title)
	var rows []Param
	for _, e := range entries {
		rows = append(rows, Param{Name: e.call(), Doc: firstSentence(e.Doc)})
	}
	p.rows(2, rows)
}

func (p *printer) class(c *Class) {
	article := "A"
	if strings.ContainsRune("aeiou", rune(c.Name[0])) {
		article = "An"
	}
	p.line("\n%s %s object:", article, c.Name)
	if c.Doc != "" {
		p.hanging("  ", c.Doc, 2)
	}
	p.params(c.Fields)
	var rows []Param
	for _, m := range c.Methods {
		rows = append(rows, Param{Name: m.call(), Doc: firstSentence(m.Doc)})
	}
	p.rows(2, rows)
}

// params prints parameters, the options of a table below it.
func (p *printer) params(list []Param) {
	var rows []Param
	for _, a := range list {
		fields, rest := a.Options()
		typ := a.Type
		if fields != nil {
			typ = "table"
		}
		if a.Optional {
			typ += ", optional"
		}
		rows = append(rows, Param{Name: a.Name, Doc: join(typ, rest)})
		for _, f := range fields {
			rows = append(rows, Param{Name: "  " + f.Name, Doc: join(f.Type, f.Doc)})
		}
	}
	p.rows(2, rows)
}

// results prints what is returned; a table with its fields.
func (p *printer) results(list []Param) {
	for _, r := range list {
		fields, rest := r.Options()
		if fields == nil {
			p.hanging("  ", strings.TrimSpace(r.Type+"  "+r.Doc), 4)
			continue
		}
		p.hanging("  ", strings.TrimSpace("table  "+rest), 4)
		var rows []Param
		for _, f := range fields {
			rows = append(rows, Param{Name: f.Name, Doc: join(f.Type, f.Doc)})
		}
		p.rows(4, rows)
	}
}

func join(typ, doc string) string {
	if doc == "" {
		return typ
	}
	return typ + ": " + doc
}

// firstSentence is the text up to its first full stop.
func firstSentence(doc string) string {
	doc, _, _ = strings.Cut(doc, "\n\n")
	text := strings.Join(strings.Fields(doc), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}
