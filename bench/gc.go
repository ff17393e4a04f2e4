package main

import (
	"fmt"
)

// benchGC compares 64 readers with and without the binary's setting for garbage collection.
func benchGC(b *bench) error {
	const tasks = 64
	each := max(b.count(25600)/tasks, 2)
	return b.withServer(func(endpoint string) error {
		c, err := newClientv3(endpoint)
		if err != nil {
			return err
		}
		err = fill(b.ctx, c, getPrefix, getKeys)
		c.Close()
		if err != nil {
			return err
		}
		peaks := figures{}
		measured := func(name string, run func() (report, error)) side {
			return side{name, plainGC, func() (float64, error) {
				r, err := run()
				peaks[name] = append(peaks[name], r.Peak)
				return r.Took, err
			}}
		}
		script := func(gc int) func() (report, error) {
			return func() (report, error) {
				return b.scriptInChild(gc, endpoint, getsScript, getPrefix, text(tasks), text(each), text(getKeys))
			}
		}
		gets := func(gc int) func() (report, error) {
			return func() (report, error) { return b.feed("", "gets", text(gc), endpoint, text(tasks), text(each)) }
		}
		got, err := b.measure([]side{
			measured("gc-lua-ours", script(ourGC())), measured("gc-lua-plain", script(plainGC)),
			measured("gc-go-ours", gets(ourGC())), measured("gc-go-plain", gets(plainGC)),
		})
		if err != nil {
			return err
		}
		for _, s := range []struct{ what, side string }{{"64 tasks getting", "gc-lua"}, {"64 goroutines getting with clientv3", "gc-go"}} {
			shown := func(name string) string {
				return fmt.Sprintf("%s, %s", perSecond(tasks*each)(median(got[name])), mebibytes(median(peaks[name])))
			}
			b.table.add(row{
				what: fmt.Sprintf("GOGC=%d beside %d: %s", ourGC(), plainGC, s.what), ratio: rates(got[s.side+"-ours"], got[s.side+"-plain"]),
				ours: shown(s.side + "-ours"), theirs: shown(s.side + "-plain"),
			})
		}
		return nil
	})
}
