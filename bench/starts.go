package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// lightTags build the binary without the embedded server, and without what else costs start-up time.
const lightTags = "noembed,urfave_cli_no_docs,grpcnotrace"

// programs are the binaries whose start is measured.
type programs struct {
	normal, light, plain program
}

// program is a command line that wants the endpoint at {}, and what it needs in its environment.
type program struct {
	args, env []string
}

// startScript gets one key and says what memory the process has had.
const startScript = `
print(etcd.get("/bench/start"))
local status = io.open("/proc/self/status")
if status then
  for line in status:lines() do
    if line:find("^VmHWM:") then print(line) end
  end
  status:close()
end
`

// withPrograms builds them, unless the smoke test has given others.
func (b *bench) withPrograms(f func(p *programs) error) error {
	if b.programs != nil {
		return f(b.programs)
	}
	dir, err := os.MkdirTemp("", "etcdlua-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "start.lua")
	if err := os.WriteFile(script, []byte(startScript), 0o600); err != nil {
		return err
	}
	built := func(name, pkg string, flags ...string) (string, error) {
		file := filepath.Join(dir, name)
		cmd := exec.CommandContext(b.ctx, "go", append(append([]string{"build", "-o", file}, flags...), pkg)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stdout, cmd.Stderr = b.log, b.log
		return file, cmd.Run()
	}
	normal, err1 := built("etcdlua", "etcdlua")
	light, err2 := built("etcdlua-light", "etcdlua", "-tags="+lightTags)
	plain, err3 := built("oneget", "etcdlua/bench/oneget")
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return f(&programs{
		normal: program{args: []string{normal, "run", "--endpoints", "{}", script}},
		light:  program{args: []string{light, "run", "--endpoints", "{}", script}},
		plain:  program{args: []string{plain, "{}", "/bench/start"}},
	})
}

// startsPerRound are started one after another; their median is the round's figure.
const startsPerRound = 11

func benchStart(b *bench) error {
	return b.withStarts(func(started starter, p *programs) error {
		got, err := b.measure([]side{started("start", p.normal), started("start-light", p.light), started("oneget", p.plain)})
		if err != nil {
			return err
		}
		const what = "start, connect, one get, exit"
		b.compare(got, comparison{what, atMost(2.2), costs, "start", "oneget", duration})
		b.compare(got, comparison{what + "; built with `-tags " + lightTags + "`", atMost(1.2), costs, "start-light", "oneget", duration})
		return nil
	}, func(b *bench, p program) (float64, error) {
		var took []float64
		for range max(startsPerRound/b.divide, 1) {
			t, err := timed(func() error { _, err := p.run(); return err })
			if err != nil {
				return 0, err
			}
			took = append(took, t)
		}
		return median(took), nil
	})
}

// benchMemory looks at the same programs' peak memory.
func benchMemory(b *bench) error {
	return b.withStarts(func(started starter, p *programs) error {
		got, err := b.measure([]side{started("memory", p.normal), started("memory-light", p.light), started("oneget", p.plain)})
		if err != nil {
			return err
		}
		for _, m := range []struct{ what, side string }{
			{"peak memory of a small script", "memory"}, {"the same, built with `-tags " + lightTags + "`", "memory-light"},
		} {
			b.table.add(row{
				what: m.what, goal: goal{"≤", 25 << 20, mebibytes}, value: median(got[m.side]),
				ours: mebibytes(median(got[m.side])), theirs: mebibytes(median(got["oneget"])),
			})
		}
		return nil
	}, func(_ *bench, p program) (float64, error) {
		out, err := p.run()
		if err != nil {
			return 0, err
		}
		return peakIn(out)
	})
}

// withStarts runs f beside a server that has the key, with a maker of sides that start a program.
func (b *bench) withStarts(f func(starter, *programs) error, figure func(*bench, program) (float64, error)) error {
	return b.withPrograms(func(p *programs) error {
		return b.withServer(func(endpoint string) error {
			c, err := newClientv3(endpoint)
			if err != nil {
				return err
			}
			_, err = c.Put(b.ctx, "/bench/start", "value")
			c.Close()
			if err != nil {
				return err
			}
			return f(func(name string, p program) side {
				p = p.at(endpoint)
				return side{name, plainGC, func() (float64, error) { return figure(b, p) }}
			}, p)
		})
	})
}

// starter makes a side that starts a program.
type starter func(name string, p program) side

// at is the program with the endpoint filled in.
func (p program) at(endpoint string) program {
	p.args = slices.Clone(p.args)
	for i, a := range p.args {
		p.args[i] = strings.ReplaceAll(a, "{}", endpoint)
	}
	return p
}

// run runs the program to its end and returns its output, which has the value first.
func (p program) run() (string, error) {
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil && !strings.HasPrefix(string(out), "value\n") {
		err = fmt.Errorf("%s printed %q", filepath.Base(p.args[0]), out)
	}
	return string(out), err
}
