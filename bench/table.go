package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"time"
)

// row is a line of the table.
type row struct {
	what         string
	goal         goal
	ratio, same  []float64 // by round; same: against theirs with our GOGC
	value        float64   // what the goal is about, of a line without a ratio
	ours, theirs string
}

// table is what has been measured.
type table struct{ rows []row }

func (t *table) add(r row) { t.rows = append(t.rows, r) }

func (t *table) print(w io.Writer) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	fmt.Fprintf(out, "%s, %s, %d cores, %s, etcd %s, gopher-lua %s; etcdlua with GOGC=%d.\n\n",
		time.Now().Format(time.DateOnly), cpu(), goruntime.NumCPU(), goruntime.Version(),
		moduleVersion("go.etcd.io/etcd/client/v3"), moduleVersion("github.com/yuin/gopher-lua"), ourGC())
	fmt.Fprintf(out, "| what | goal | ratio: median (quartiles; range) | same GOGC | etcdlua | beside it |\n|---|---|---|---|---|---|\n")
	for _, r := range t.rows {
		value := r.value
		if r.ratio != nil {
			value = median(r.ratio)
		}
		same := "–"
		if r.same != nil {
			same = times(median(r.same))
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", r.what, r.goal.verdict(value), spread(r.ratio), same, r.ours, cmp.Or(r.theirs, "–"))
	}
}

// spread shows ratios.
func spread(ratios []float64) string {
	if len(ratios) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f; %.2f–%.2f)", median(ratios),
		quantile(ratios, 0.25), quantile(ratios, 0.75), quantile(ratios, 0), quantile(ratios, 1))
}

// cpu names the processor, where the system tells it.
func cpu() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return goruntime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return goruntime.GOARCH
}

// moduleVersion is the version of a module that this program was built with; the server's is the client's.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "?"
}
