package reference

import "strings"

// Page is something that has a page of its own.
type Page interface{ Render() string }

// Find returns the pages with a name: a module ("etcd"), a function ("etcd.get"), a class
// ("query") or a method ("query:list"). Case does not matter, nor whether a method is
// written with a dot. A module and a class may share a name; the module's page shows both.
// A name without its module ("get") finds what is called so when nothing else has the name.
func Find(modules []*Module, name string) []Page {
	name = fold(name)
	var found []Page
	for _, m := range modules {
		if fold(m.Name) == name {
			return []Page{m}
		}
	}
	visit(modules, func(n string, p Page) {
		if fold(n) == name {
			found = append(found, p)
		}
	})
	if found != nil {
		return found
	}
	visit(modules, func(n string, p Page) {
		if strings.HasSuffix(fold(n), "."+name) {
			found = append(found, p)
		}
	})
	return found
}

// Names lists everything that Find finds.
func Names(modules []*Module) []string {
	var list []string
	for _, m := range modules {
		list = append(list, m.Name)
	}
	visit(modules, func(n string, _ Page) { list = append(list, n) })
	return list
}

// visit calls f for all that has a page, other than the modules themselves.
func visit(modules []*Module, f func(name string, p Page)) {
	for _, m := range modules {
		for _, e := range m.Entries {
			f(e.Name, e)
		}
		for _, c := range m.Classes {
			if c.Name != m.Name {
				f(c.Name, c)
			}
			for _, e := range c.Methods {
				f(e.Name, e)
			}
		}
	}
}

func fold(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(name, "()"), ":", "."))
}
