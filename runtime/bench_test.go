package runtime

import (
	"context"
	"testing"
)

func benchLua(b *testing.B, src string) {
	s, err := Compile("b.lua", "", []byte(src))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h := New(Options{})
		if err := h.Run(context.Background(), s); err != nil {
			b.Fatal(err)
		}
		h.Close()
	}
}

func BenchmarkSpawn10000(b *testing.B) {
	benchLua(b, `local ts = {} for i = 1, 10000 do ts[i] = task.spawn(function() end) end for i = 1, 10000 do ts[i]:join() end`)
}

func BenchmarkPcall100000(b *testing.B) {
	benchLua(b, `local f = function(a) return a end for i = 1, 100000 do pcall(f, i) end`)
}

func BenchmarkPcallError10000(b *testing.B) {
	benchLua(b, `local f = function(a) error(a) end for i = 1, 10000 do pcall(f, i) end`)
}

func BenchmarkYield100000(b *testing.B) {
	benchLua(b, `for i = 1, 100000 do task.yield() end`)
}

func BenchmarkLoop(b *testing.B) {
	benchLua(b, `local x = 0 for i = 1, 1000000 do x = x + i end`)
}
