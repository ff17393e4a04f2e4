package main

import (
	"errors"
	"fmt"
	"io"
)

// scriptInChild runs a script in a process of its own, with the binary's garbage collection.
func (b *bench) scriptInChild(gc int, endpoint, src string, args ...string) (report, error) {
	return b.feed(src, "script", append([]string{text(gc), endpoint}, args...)...)
}

// idleScript does what every other one does first.
const idleScript = `
bench.start()
etcd.get("/bench/nothing")
bench.stop()
`

// benchRangeMemory compares what it takes to walk over many keys with what a tenth of them takes.
func benchRangeMemory(b *bench) error {
	few, many := b.count(100_000), b.count(1_000_000)
	if err := rangeMemory(b, few, many, "RangeStream"); err != nil {
		return err
	}
	return rangeMemory(b, few, many, "pages", noRangeStream)
}

func rangeMemory(b *bench, few, many int, how string, serverArgs ...string) error {
	return b.withServer(func(endpoint string) error {
		if err := fillBoth(b, endpoint, few, many); err != nil {
			return err
		}
		peak := func(name, src string, args ...string) side {
			return ours(name, func() (float64, error) {
				r, err := b.scriptInChild(ourGC(), endpoint, src, args...)
				return r.Peak, err
			})
		}
		got, err := b.measure([]side{
			peak("none", idleScript),
			peak("few", twoVariables, "/bench/few/", text(few)),
			peak("many", twoVariables, "/bench/many/", text(many)),
		})
		if err != nil {
			return err
		}
		b.table.add(row{
			what: fmt.Sprintf("peak memory of a loop over %d keys beside %d, %s (a script without a loop: %s)", many, few, how, mebibytes(median(got["none"]))),
			goal: atMost(1.3), ratio: costs(got["many"], got["few"]),
			ours: mebibytes(median(got["many"])), theirs: mebibytes(median(got["few"])),
		})
		return nil
	}, serverArgs...)
}

func fillBoth(b *bench, endpoint string, few, many int) error {
	c, err := newClientv3(endpoint)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := fill(b.ctx, c, "/bench/few/", few); err != nil {
		return err
	}
	return fill(b.ctx, c, "/bench/many/", many)
}

// feed runs a process on an input and returns its report.
func (b *bench) feed(input, role string, args ...string) (report, error) {
	p, err := b.start(role, args...)
	if err != nil {
		return report{}, err
	}
	if _, err := io.WriteString(p.stdin, input); err != nil {
		return report{}, errors.Join(err, p.stop())
	}
	p.stdin.Close()
	return p.report()
}
