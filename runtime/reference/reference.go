// Package reference reads the types files of modules, LuaLS stubs whose comments are
// the one reference of what a script can call, and prints them for a terminal. It
// runs no Lua.
package reference

import (
	"regexp"
	"strings"
)

// Module is what one types file describes.
type Module struct {
	Name    string
	Doc     string   // paragraphs, separated by an empty line
	Entries []*Entry // functions and values, in the order of the file
	Classes []*Class // objects that they return
	Aliases []Param  // names of types
}

// Class is a kind of object.
type Class struct {
	Name    string
	Doc     string
	Fields  []Param
	Methods []*Entry
}

// Entry is a function, a method or a value.
type Entry struct {
	Name    string // "task.spawn", "channel:send"
	Args    string // "(fn, ...)", "" for a value
	Doc     string
	Params  []Param
	Returns []Param
	Example string
}

// Param is a parameter, a result, a field or an option.
type Param struct {
	Name     string
	Type     string
	Doc      string
	Optional bool
}

var (
	functionLine = regexp.MustCompile(`^function ([\w.]+)([.:])(\w+)(\(.*?\)) end`)
	tableLine    = regexp.MustCompile(`^([\w.]+) = \{\}`)
	valueLine    = regexp.MustCompile(`^([\w.]+)\.(\w+) = `)
	localLine    = regexp.MustCompile(`^local (\w+) = `)
)

// Parse reads the types file of the module that is called name.
func Parse(name, types string) *Module {
	p := &parser{module: &Module{Name: name}, classes: map[string]*Class{}}
	for line := range strings.Lines(types) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	p.statement("")
	return p.module
}

// parser collects a comment until the statement that it is about.
type parser struct {
	module  *Module
	classes map[string]*Class // by the local variable that stands for it
	comment comment
}

// comment is a block of --- lines.
type comment struct {
	Entry
	class  *Class
	values int // lines of @type: the statement is a value
}

func (p *parser) line(line string) {
	text, ok := strings.CutPrefix(line, "---")
	if !ok {
		p.statement(line)
		return
	}
	text = strings.TrimPrefix(text, " ")
	if tag, ok := strings.CutPrefix(text, "@"); ok {
		p.tag(tag)
		return
	}
	c := &p.comment
	switch code, isCode := strings.CutPrefix(text, "    "); {
	case isCode:
		c.Example += code + "\n"
	case text == "" && c.Example != "":
		c.Example += "\n"
	default:
		c.Doc += text + "\n"
	}
}

func (p *parser) tag(text string) {
	kind, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	c := &p.comment
	switch kind {
	case "param":
		c.Params = append(c.Params, namedParam(rest))
	case "return":
		typ, doc := cutType(rest)
		c.Returns = append(c.Returns, Param{Type: typ, Doc: doc})
	case "type":
		typ, doc := cutType(rest)
		c.Returns, c.values = []Param{{Type: typ, Doc: doc}}, c.values+1
	case "class":
		name, _, _ := strings.Cut(rest, ":")
		c.class = &Class{Name: strings.TrimSpace(name)}
	case "field":
		if c.class != nil {
			c.class.Fields = append(c.class.Fields, namedParam(rest))
		}
	case "alias":
		p.module.Aliases = append(p.module.Aliases, namedParam(rest))
	}
}

// statement is the line of Lua that the comment before it is about; an empty one
// ends a comment that stands alone.
func (p *parser) statement(line string) {
	c := p.comment
	c.Doc, c.Example = strings.TrimSpace(c.Doc), strings.TrimRight(c.Example, "\n ")
	p.comment = comment{}
	if c.class != nil {
		c.class.Doc = c.Doc
		p.module.Classes = append(p.module.Classes, c.class)
		if m := localLine.FindStringSubmatch(line); m != nil {
			p.classes[m[1]] = c.class
		}
		return
	}
	e := c.Entry
	if m := functionLine.FindStringSubmatch(line); m != nil {
		e.Args = m[4]
		if class := p.classes[m[1]]; class != nil {
			e.Name = class.Name + m[2] + m[3]
			class.Methods = append(class.Methods, &e)
			return
		}
		e.Name = m[1] + m[2] + m[3]
		p.module.Entries = append(p.module.Entries, &e)
	} else if m := tableLine.FindStringSubmatch(line); m != nil && c.values == 0 {
		p.table(m[1], e.Doc)
	} else if m := valueLine.FindStringSubmatch(line); m != nil && p.classes[m[1]] == nil {
		e.Name = m[1] + "." + m[2]
		p.module.Entries = append(p.module.Entries, &e)
	}
}

// table is the module itself, or a table of functions inside it.
func (p *parser) table(name, doc string) {
	if name == p.module.Name {
		p.module.Doc = doc
		return
	}
	p.module.Entries = append(p.module.Entries, &Entry{Name: name, Doc: doc})
}

// namedParam reads "name? type what it is".
func namedParam(text string) Param {
	name, rest, _ := strings.Cut(text, " ")
	name, optional := strings.CutSuffix(name, "?")
	typ, doc := cutType(strings.TrimSpace(rest))
	return Param{Name: name, Type: typ, Doc: doc, Optional: optional}
}

// cutType splits a type, which may contain spaces inside brackets and after the colon
// of a function's result, from the text after it.
func cutType(text string) (typ, rest string) {
	depth := 0
	for i, r := range text {
		switch r {
		case '(', '{', '<', '[':
			depth++
		case ')', '}', '>', ']':
			depth--
		case ' ':
			if depth == 0 && !strings.ContainsAny(text[i-1:i], ":|,") {
				return text[:i], strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text[i:]), "#"))
			}
		}
	}
	return text, ""
}

// Options takes a parameter whose type is a table of named fields apart: the fields,
// each with the part of the text that begins with its name and a colon, and the rest
// of the text. It returns nil for any other type.
func (p Param) Options() (fields []Param, rest string) {
	inner, ok := strings.CutPrefix(p.Type, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed {
		return nil, p.Doc
	}
	for _, f := range splitFields(inner) {
		name, typ, _ := strings.Cut(f, ":")
		name, optional := strings.CutSuffix(strings.TrimSpace(name), "?")
		fields = append(fields, Param{Name: name, Type: strings.TrimSpace(typ), Optional: optional})
	}
	var about *Param // a part without a field's name goes on with the part before it
	for _, part := range strings.Split(p.Doc, "; ") {
		name, text, _ := strings.Cut(part, ": ")
		if f := fieldNamed(fields, name); f != nil {
			about, f.Doc = f, text
			continue
		}
		to := &rest
		if about != nil {
			to = &about.Doc
		}
		*to = strings.TrimPrefix(*to+"; "+part, "; ")
	}
	return fields, rest
}

func fieldNamed(fields []Param, name string) *Param {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// splitFields splits at the commas that are not inside brackets.
func splitFields(text string) []string {
	var list []string
	depth, start := 0, 0
	for i, r := range text {
		switch r {
		case '(', '{', '<', '[':
			depth++
		case ')', '}', '>', ']':
			depth--
		case ',':
			if depth == 0 {
				list, start = append(list, text[start:i]), i+1
			}
		}
	}
	if strings.TrimSpace(text[start:]) != "" {
		list = append(list, text[start:])
	}
	return list
}
