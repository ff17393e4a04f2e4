package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"

	"etcdlua/internal/startup"
)

// ourGC is GOGC as the binary sets it; scripts are measured with it.
var ourGC = sync.OnceValue(func() int {
	startup.TuneGC(func(string) (string, bool) { return "", false })
	return debug.SetGCPercent(plainGC)
})

// plainGC is what a Go program has that sets nothing.
const plainGC = 100

// bench is what a benchmark is given.
type bench struct {
	ctx      context.Context
	rounds   int
	divide   int    // all counts are divided by it: 1 but for the smoke test
	profiles string // a folder, or ""
	log      io.Writer
	table    table
	programs *programs // built when first needed
}

// count is n, scaled down in the smoke test.
func (b *bench) count(n int) int { return max(n/b.divide, min(n, 8)) }

// side is one way of doing the work of a benchmark. run does it once and returns its figure, by which
// sides are compared: mostly seconds.
type side struct {
	name string
	gc   int // GOGC while it runs
	run  func() (float64, error)
}

// ours is a side of etcdlua's.
func ours(name string, run func() (float64, error)) side { return side{name, ourGC(), run} }

// plain is a side of plain Go, once with the GOGC of such a program and once with ours.
func plain(name string, run func() (float64, error)) []side {
	return []side{{name, plainGC, run}, {name + sameGC, ourGC(), run}}
}

// sameGC marks the second side of plain.
const sameGC = " with our GOGC"

// figures are the figures of each side, by round.
type figures map[string][]float64

// measure runs every side once to warm up and then once a round, in an order that is shuffled anew for
// each round: two equal things that always ran in the same order once came out 1.7 times apart.
func (b *bench) measure(sides []side) (figures, error) {
	got := figures{}
	sides = append([]side(nil), sides...)
	for round := 0; round <= b.rounds; round++ {
		rand.Shuffle(len(sides), func(i, j int) { sides[i], sides[j] = sides[j], sides[i] })
		for _, s := range sides {
			v, err := b.once(s, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if round > 0 {
				got[s.name] = append(got[s.name], v)
			}
		}
	}
	return got, nil
}

// once runs a side with its garbage collection, on a clean heap.
func (b *bench) once(s side, round int) (float64, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(s.gc))
	goruntime.GC()
	if b.profiles == "" {
		return s.run()
	}
	f, err := os.Create(filepath.Join(b.profiles, fmt.Sprintf("%s.%d.pprof", s.name, round)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return 0, err
	}
	defer pprof.StopCPUProfile()
	return s.run()
}

// compare adds a line to the table: one side beside another.
func (b *bench) compare(got figures, c comparison) {
	r := row{what: c.what, goal: c.goal, ours: c.show(median(got[c.ours])), theirs: c.show(median(got[c.theirs]))}
	r.ratio = c.of(got[c.ours], got[c.theirs])
	if same := got[c.theirs+sameGC]; same != nil {
		r.same = c.of(got[c.ours], same)
	}
	b.table.add(r)
}

// comparison says which sides are compared, and how.
type comparison struct {
	what         string
	goal         goal
	of           func(ours, theirs []float64) []float64 // costs or rates
	ours, theirs string                                 // names of sides
	show         func(v float64) string
}
