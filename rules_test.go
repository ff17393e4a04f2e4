package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rules says which packages may import what. A pattern ends with … when it covers
// what is below it; the first rule that matches a package counts.
var rules = []struct {
	pkg string
	not []string
	why string
}{
	{"etcdlua/etcdapi/embedded", []string{"github.com/yuin/gopher-lua…", "layeh.com/…", "etcdlua/runtime…", "etcdlua/commands…"},
		"the etcd client knows no Lua"},
	{"etcdlua/etcdapi…", []string{"github.com/yuin/gopher-lua…", "layeh.com/…", "etcdlua/runtime…", "etcdlua/commands…", "go.etcd.io/etcd/server…"},
		"the etcd client knows no Lua, and embedded alone imports the server"},
	{"etcdlua/runtime", []string{"go.etcd.io/…", "etcdlua/etcdapi…", "etcdlua/commands…", "etcdlua/runtime/…"},
		"the Lua host knows no etcd"},
	{"etcdlua/runtime/modules", []string{"go.etcd.io/…", "etcdlua/etcdapi…", "etcdlua/commands…"},
		"the small modules know no etcd"},
	{"etcdlua/runtime/…", []string{"go.etcd.io/…", "etcdlua/commands…"},
		"modules reach etcd through etcdapi"},
	{"etcdlua/bench…", nil, "the benchmarks compare with the plain client"},
	{"etcdlua…", []string{"go.etcd.io/…"}, "only etcdapi imports etcd's packages"},
}

func matches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "…"); ok {
		return path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, prefix)
	}
	return path == pattern
}

func TestImportsFollowTheArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; packages++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, broken := range violations(p.ImportPath, p.Imports) {
			t.Error(broken)
		}
	}
	if packages < 5 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

func violations(pkg string, imports []string) (list []string) {
	for _, r := range rules {
		if !matches(r.pkg, pkg) {
			continue
		}
		for _, i := range imports {
			for _, not := range r.not {
				if matches(not, i) && !matches(r.pkg, i) {
					list = append(list, pkg+" imports "+i+": "+r.why)
				}
			}
		}
		return list
	}
	return nil
}

// The rules themselves must be able to fail.
func TestRulesCatchAWrongImport(t *testing.T) {
	for pkg, wrong := range map[string]string{
		"etcdlua/runtime":              "etcdlua/etcdapi",
		"etcdlua/etcdapi":              "github.com/yuin/gopher-lua",
		"etcdlua/etcdapi/etcdtest":     "go.etcd.io/etcd/server/v3/embed",
		"etcdlua/commands":             "go.etcd.io/etcd/client/v3",
		"etcdlua/runtime/modules/etcd": "go.etcd.io/etcd/api/v3/mvccpb",
		"etcdlua/runtime/modules":      "etcdlua/etcdapi",
	} {
		if len(violations(pkg, []string{wrong})) != 1 {
			t.Errorf("%s may import %s", pkg, wrong)
		}
	}
}
