package etcd

import (
	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// reading is one walk over a query's keys: the pages, and where it is in the present one.
type reading struct {
	q     *query
	task  *runtime.Task
	pages *etcdapi.Pages
	page  []*etcdapi.KV
	next  int
	last  string // the key that was handed out last
	boxes []lua.LUserData
}

func (q *query) newReading(L *lua.LState, api *etcdapi.Query) *reading {
	// The pages outlive this call and are closed with the client at the latest.
	return &reading{q: q, task: runtime.CurrentTask(L), pages: api.Pages(q.m.h.Background())}
}

// step returns the next kv, nil at the end. It waits only between pages.
func (r *reading) step(L *lua.LState) *etcdapi.KV {
	for r.next == len(r.page) {
		r.q.m.do(L, r.q.op, func(ctx runtime.Ctx) (err error) {
			r.page, err = r.pages.Next(ctx)
			return err
		})
		r.q.revision = r.pages.Revision()
		r.next = 0
		if r.page == nil {
			r.pages.Close()
			return nil
		}
	}
	kv := r.page[r.next]
	r.page[r.next] = nil // what the script does not keep can go
	r.next++
	return kv
}

// boxSize is how many kv objects are allocated at once: one that is kept keeps its
// neighbours' boxes, some 3 KiB.
const boxSize = 32

// push pushes what a loop gets: key, value and the kv object.
func (r *reading) push(L *lua.LState, kv *etcdapi.KV) int {
	if kv == nil {
		L.Push(lua.LNil)
		return 1
	}
	if len(r.boxes) == 0 {
		r.boxes = make([]lua.LUserData, boxSize)
	}
	box := &r.boxes[0]
	r.boxes = r.boxes[1:]
	r.q.m.kvs.Fill(box, kv)
	L.Push(text(kv.Key))
	L.Push(text(kv.Value))
	L.Push(box)
	return 3
}

// maxLoops is how many unfinished for-loops over one query object are remembered;
// loops that were left by break are forgotten, oldest first.
const maxLoops = 8

// queryLoop is one step of "for key, value, kv in query do". The loop's control
// variable, nil at first, then the last key, tells which loop it is.
func queryLoop(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:iter")
	control := L.Get(3)
	if control == lua.LNil {
		r := q.newReading(L, q.q)
		if len(q.loops) == maxLoops {
			q.loops[0].pages.Close()
			q.loops = q.loops[1:]
		}
		q.loops = append(q.loops, r)
		return q.advance(L, r)
	}
	for i := len(q.loops) - 1; i >= 0; i-- {
		if r := q.loops[i]; r.task == runtime.CurrentTask(L) && lua.LString(r.last) == control {
			return q.advance(L, r)
		}
	}
	invalid(L, q.op, "the loop over the query cannot go on from %s", control.String())
	return 0
}

func (q *query) advance(L *lua.LState, r *reading) int {
	kv := r.step(L)
	if kv == nil {
		q.forget(r)
		return r.push(L, nil)
	}
	n := r.push(L, kv)
	r.last = string(text(kv.Key))
	return n
}

func (q *query) forget(r *reading) {
	for i := range q.loops {
		if q.loops[i] == r {
			q.loops = append(q.loops[:i], q.loops[i+1:]...)
			return
		}
	}
}
