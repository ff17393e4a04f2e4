// Command bench measures etcdlua beside the same work in plain Go with clientv3, and prints a table for
// bench/README.md, which says what each line means.
//
// The server is a process of its own on the loopback interface: this program, started again in another
// role. So are the writer of the watch benchmark and whatever is measured for its memory. Everything
// else runs here: scripts on the runtime with the module etcd, as the binary runs them, and clientv3.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if isChild() {
		os.Exit(childMain())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "comma-separated `names` of the benchmarks to run: "+strings.Join(benchmarkNames(), ", "))
	rounds := flags.Int("rounds", 11, "rounds of each benchmark, after one to warm up")
	profiles := flags.String("profiles", "", "write a CPU profile of each side and round into this `folder`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *rounds < 1 {
		return fmt.Errorf("-rounds is %d; it must be at least 1", *rounds)
	}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o700); err != nil {
			return err
		}
	}
	b := &bench{ctx: ctx, rounds: *rounds, divide: 1, profiles: *profiles, log: stderr}
	var failed []error // the others go on: what was measured is not lost
	for _, m := range chosen {
		fmt.Fprintf(stderr, "%s…\n", m.name)
		if err := m.run(b); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	b.table.print(stdout)
	return errors.Join(failed...)
}

// benchmark is some lines of the table that are measured together.
type benchmark struct {
	name string
	run  func(b *bench) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{"get", benchGet}, {"set", benchSet}, {"get64", benchGet64}, {"get256", benchGet256},
		{"range", benchRange}, {"pages", benchPages}, {"range-memory", benchRangeMemory},
		{"watch", benchWatch}, {"latency", benchLatency},
		{"start", benchStart}, {"memory", benchMemory},
		{"parked", benchParked}, {"spawn", benchSpawn}, {"gc", benchGC},
	}
}

func benchmarkNames() (names []string) {
	for _, m := range benchmarks() {
		names = append(names, m.name)
	}
	return names
}

func choose(only string) ([]benchmark, error) {
	if only == "" {
		return benchmarks(), nil
	}
	var chosen []benchmark
	for _, name := range strings.Split(only, ",") {
		n := len(chosen)
		for _, m := range benchmarks() {
			if m.name == name {
				chosen = append(chosen, m)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("there is no benchmark %q; there are %s", name, strings.Join(benchmarkNames(), ", "))
		}
	}
	return chosen, nil
}
