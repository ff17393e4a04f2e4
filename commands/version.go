package commands

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"text/tabwriter"
)

func (p *program) versionCommand() *command {
	return &command{
		name: "version", short: "Prints the versions of etcdlua and of what it is made of.",
		exits: []int{exitDone, exitUsage},
		run: func(c *call) error {
			if len(c.args) > 0 {
				return usageErrorf("version takes no arguments, but %q is given", c.args[0])
			}
			return c.printVersion()
		},
	}
}

func (c *call) printVersion() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	w := tabwriter.NewWriter(c.streams.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "etcdlua\t%s\n", mainVersion(info))
	fmt.Fprintf(w, "go\t%s %s/%s\n", goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
	for _, part := range []struct{ name, path string }{
		{"gopher-lua", "github.com/yuin/gopher-lua"},
		{"etcd client", "go.etcd.io/etcd/client/v3"},
	} {
		fmt.Fprintf(w, "%s\t%s\n", part.name, dependency(info, part.path))
	}
	server := "left out (build tag noembed)"
	if hasEmbedded {
		server = dependency(info, "go.etcd.io/etcd/server/v3")
	}
	fmt.Fprintf(w, "embedded etcd\t%s\n", server)
	return w.Flush()
}

// mainVersion is the tag that was built, or the commit.
func mainVersion(info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "development"
	}
	var commit, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			commit = " " + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " with changes"
		}
	}
	return version + commit + dirty
}

// dependency is the version of a module in the build.
func dependency(info *debug.BuildInfo, path string) string {
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "unknown"
}
