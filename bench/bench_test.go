package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"etcdlua/commands"
	"etcdlua/etcdapi/etcdtest"
)

// asEtcdlua is the role in which the test's binary is etcdlua itself, so that nothing has to be built.
const asEtcdlua = "etcdlua"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(roleVar) == asEtcdlua:
		os.Exit(commands.Run(context.Background(), os.Args[1:], commands.ProcessStreams()))
	case isChild():
		os.Exit(childMain())
	}
	// With the race detector every child would sleep for a second at its end.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	etcdtest.Main(m)
}

// selfAsPrograms stands in for the binaries that the benchmarks of starts would build.
func selfAsPrograms(t *testing.T) *programs {
	t.Helper()
	script := filepath.Join(t.TempDir(), "start.lua")
	if err := os.WriteFile(script, []byte(startScript), 0o600); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := program{args: []string{exe, "run", "--endpoints", "{}", script}, env: []string{roleVar + "=" + asEtcdlua}}
	return &programs{normal: p, light: p, plain: p}
}

func TestEveryBenchmarkRuns(t *testing.T) {
	if _, err := peakMemory(); err != nil {
		t.Skip(err)
	}
	for _, m := range benchmarks() {
		t.Run(m.name, func(t *testing.T) {
			b := &bench{ctx: t.Context(), rounds: 1, divide: 500, log: t.Output(), programs: selfAsPrograms(t)}
			if err := m.run(b); err != nil {
				t.Fatal(err)
			}
			if len(b.table.rows) == 0 {
				t.Error("nothing came of it")
			}
			for _, r := range b.table.rows {
				if r.what == "" || r.ours == "" {
					t.Errorf("a line says nothing: %+v", r)
				}
				for _, ratios := range [][]float64{r.ratio, r.same} {
					if slices.ContainsFunc(ratios, func(v float64) bool { return !(v > 0) || v > 1e6 }) {
						t.Errorf("%s: ratios %v", r.what, ratios)
					}
				}
			}
		})
	}
}

func TestServersHaveRangeStreamOrNot(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want codes.Code
	}{
		"as it is": {nil, codes.OK}, "as before 3.7": {[]string{noRangeStream}, codes.Unimplemented},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{ctx: t.Context(), log: t.Output()}
			err := b.withServer(func(endpoint string) error {
				c3, err := newClientv3(endpoint)
				if err != nil {
					return err
				}
				defer c3.Close()
				stream, err := pb.NewKVClient(c3.ActiveConnection()).RangeStream(t.Context(), &pb.RangeRequest{Key: []byte("k")}, grpc.WaitForReady(true))
				if err == nil {
					_, err = stream.Recv()
				}
				if got := status.Code(err); got != c.want {
					t.Errorf("RangeStream: %v, want %v", err, c.want)
				}
				return nil
			}, c.args...)
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	var order []string
	gc := map[string]int{}
	at := func(name string) func() (float64, error) {
		return func() (float64, error) {
			gc[name] = debug.SetGCPercent(100)
			debug.SetGCPercent(gc[name])
			order = append(order, name)
			return float64(len(order)), nil
		}
	}
	b := &bench{ctx: t.Context(), rounds: 40}
	got, err := b.measure([]side{{"a", 100, at("a")}, {"b", 400, at("b")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(order) != 2*41 || len(got["a"]) != 40 || len(got["b"]) != 40 {
		t.Errorf("%d runs and %d, %d figures; want 82 and 40 each: one round is to warm up", len(order), len(got["a"]), len(got["b"]))
	}
	first := 0
	for i := 0; i < len(order); i += 2 {
		if order[i] == order[i+1] {
			t.Fatalf("round %d ran %s twice", i/2, order[i])
		}
		if order[i] == "a" {
			first++
		}
	}
	if first == 0 || first == 41 { // by chance once in 2^40
		t.Error("the order was never shuffled")
	}
	if gc["a"] != 100 || gc["b"] != 400 {
		t.Errorf("GOGC was %v", gc)
	}
	if after := debug.SetGCPercent(77); after != 77 {
		t.Errorf("GOGC stays %d", after)
	}
}

func TestQuantiles(t *testing.T) {
	odd, even := []float64{5, 1, 3}, []float64{4, 1, 2, 3}
	for _, c := range []struct{ got, want float64 }{
		{median(odd), 3}, {median(even), 2.5}, {quantile(even, 0), 1}, {quantile(even, 1), 4},
		{quantile(even, 0.25), 1.75}, {median([]float64{7}), 7}, {median(nil), 0},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if odd[0] != 5 {
		t.Error("the rounds were reordered")
	}
}

func TestRatiosAreByRound(t *testing.T) {
	ours, theirs := []float64{2, 30}, []float64{1, 10}
	if got := costs(ours, theirs); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("costs: %v", got)
	}
	if got := rates(theirs, ours); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("rates: %v", got)
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		goal goal
		v    float64
		want string
	}{
		{atLeast(0.95), 0.95, "≥ 0.95: met"}, {atLeast(0.95), 0.94, "≥ 0.95: **missed**"},
		{atMost(1.1), 1.1, "≤ 1.10: met"}, {atMost(1.1), 1.11, "≤ 1.10: **missed**"},
		{goal{"≤", 25 << 20, mebibytes}, 1 << 20, "≤ 25.0 MiB: met"}, {goal{}, 5, "–"},
	} {
		if got := c.goal.verdict(c.v); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.v, c.goal.bound, got, c.want)
		}
	}
}

func TestPeakIn(t *testing.T) {
	got, err := peakIn("Name:\tx\nVmHWM:\t   25532 kB\nVmRSS:\t 1 kB\n")
	if err != nil || got != 25532*1024 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := peakIn("VmRSS:\t 1 kB\n"); err == nil {
		t.Error("no peak, and no error")
	}
}

func TestTable(t *testing.T) {
	var tab table
	tab.add(row{what: "a", goal: atMost(1.5), ratio: []float64{1, 2, 3}, same: []float64{4}, ours: "x", theirs: "y"})
	tab.add(row{what: "b", goal: goal{"≤", 2048, kibibytes}, value: 1024, ours: "1.0 KiB"})
	var out bytes.Buffer
	tab.print(&out)
	for _, want := range []string{
		"| a | ≤ 1.50: **missed** | 2.00 (1.50–2.50; 1.00–3.00) | 4.00 | x | y |\n",
		"| b | ≤ 2.0 KiB: met | – | – | 1.0 KiB | – |\n", " cores, go1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(benchmarks()) {
		t.Errorf("%d, %v", len(all), err)
	}
	if two, err := choose("watch,get"); err != nil || len(two) != 2 || two[0].name != "watch" || two[1].name != "get" {
		t.Errorf("%v, %v", two, err)
	}
	if _, err := choose("gte"); err == nil || !strings.Contains(err.Error(), `no benchmark "gte"`) {
		t.Errorf("%v", err)
	}
}
