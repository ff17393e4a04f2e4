package runtime

import (
	"context"

	lua "github.com/yuin/gopher-lua"
)

// group is what all, any and map share: tasks that are waited for together. Those
// that the group spawned live in a scope of the group's, so that nothing of it
// outlives the call, whatever ends it.
type group struct {
	h     *Host
	scope *scope
	tasks []*Task
	own   map[*Task]bool
	ended chan *Task
}

func (h *Host) newGroup(L *lua.LState, n int) *group {
	return &group{h: h, scope: h.newScope(L), own: map[*Task]bool{}, ended: make(chan *Task, n)}
}

// spawn starts fn as a task of the group, whose failure is the group's to handle.
func (g *group) spawn(L *lua.LState, name string, fn lua.LValue, args ...lua.LValue) {
	o := SpawnOptions{Name: name, Quiet: true}
	t := g.h.newTask(o, g.scope, o.origin(L))
	g.own[t] = true
	g.add(t)
	go t.run(fn, args)
}

func (g *group) add(t *Task) {
	g.tasks = append(g.tasks, t)
	t.joiners++
	if t.status != Running {
		g.ended <- t
		return
	}
	t.ended = append(t.ended, g.ended)
}

// next waits for the next task of the group that ends.
func (g *group) next(L *lua.LState) (t *Task, err error) {
	err = g.h.Wait(L, func(ctx context.Context) error {
		select {
		case t = <-g.ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	return t, err
}

// mustSucceed waits for all of the group. The first error cancels the rest and is
// raised when they have ended.
func (g *group) mustSucceed(L *lua.LState) {
	for range g.tasks {
		t, err := g.next(L)
		if err == nil {
			err = t.err
		}
		if err != nil {
			g.close(L, true)
			Raise(L, err)
		}
	}
}

// close cancels what still runs, waits for the end of what the group spawned, and
// after a failure or a cancel for what it was given too.
func (g *group) close(L *lua.LState, cancelRest bool) {
	for _, t := range g.tasks {
		if t.status == Running && (cancelRest || g.own[t]) {
			t.Cancel()
		}
	}
	g.h.endScope(g.scope, L)
	for _, t := range g.tasks {
		if cancelRest && t.status == Running && t != contextOf(L).task {
			g.h.giveAndAwait(L, t.done)
		}
		t.joiners--
	}
	g.scope.ctx.cancel(errScopeEnded)
}

// fill starts the functions and adds the tasks of a list argument.
func (g *group) fill(L *lua.LState, m *taskModule, fn string, list *lua.LTable, n int) {
	for i := 1; i <= n; i++ {
		item := list.RawGetInt(i)
		if t, ok := To[*Task](item); ok {
			g.add(t)
			continue
		}
		g.spawn(L, fn, item)
	}
}

func checkGroup(L *lua.LState, fn string, list *lua.LTable) int {
	n := list.Len()
	for i := 1; i <= n; i++ {
		item := list.RawGetInt(i)
		if t, isTask := To[*Task](item); isTask {
			if t == contextOf(L).task {
				Raisef(L, CodeInvalidArgument, fn, "%s: entry %d is the calling task itself", fn, i)
			}
			continue
		}
		if _, ok := toFunction(L, item); !ok {
			Raisef(L, CodeInvalidArgument, fn, "%s: entry %d must be a function or a task, not %s", fn, i, describe(L, item))
		}
	}
	return n
}

func firstResult(t *Task) lua.LValue {
	if len(t.results) == 0 {
		return lua.LNil
	}
	return t.results[0]
}

func (m *taskModule) all(L *lua.LState) int {
	var list *lua.LTable
	Unpack(L, "task.all", "list", &list)
	n := checkGroup(L, "task.all", list)
	g := m.h.newGroup(L, n)
	g.fill(L, m, "task.all", list, n)
	g.mustSucceed(L)
	results := L.CreateTable(n, 1)
	for i, t := range g.tasks {
		results.RawSetInt(i+1, firstResult(t))
	}
	results.RawSetString("n", lua.LNumber(n))
	g.close(L, false)
	L.Push(results)
	return 1
}

// any returns the first success; when all fail, the first failure is raised.
func (m *taskModule) any(L *lua.LState) int {
	var list *lua.LTable
	Unpack(L, "task.any", "list", &list)
	n := checkGroup(L, "task.any", list)
	if n == 0 {
		Raisef(L, CodeInvalidArgument, "task.any", "task.any: the list is empty")
	}
	g := m.h.newGroup(L, n)
	g.fill(L, m, "task.any", list, n)
	var failure error
	for range n {
		t, err := g.next(L)
		if err != nil {
			g.close(L, true)
			Raise(L, err)
		}
		if t.err == nil {
			g.close(L, true)
			L.Push(firstResult(t))
			return 1
		}
		if failure == nil {
			failure = t.err
		}
	}
	g.close(L, true)
	Raise(L, failure)
	return 0
}

// defaultWorkers is how many calls of task.map run side by side.
const defaultWorkers = 16

type mapOptions struct {
	Workers int `lua:"workers"`
}

func (m *taskModule) mapList(L *lua.LState) int {
	var list *lua.LTable
	var fn *lua.LFunction
	o := mapOptions{Workers: defaultWorkers}
	Unpack(L, "task.map", "list", &list, "fn", &fn, "opts?", &o)
	if o.Workers < 1 {
		Raisef(L, CodeInvalidArgument, "task.map", "task.map: option workers must be at least 1, not %d", o.Workers)
	}
	n := list.Len()
	if counted, ok := wholeNumber(list.RawGetString("n")); ok && counted >= 0 {
		n = int(counted)
	}
	results := L.CreateTable(n, 1)
	results.RawSetString("n", lua.LNumber(n))
	g := m.h.newGroup(L, min(o.Workers, n))
	next := 0
	worker := m.h.NewFunction(func(L *lua.LState) int {
		for next < n {
			next++
			i := next
			L.Push(fn)
			L.Push(list.RawGetInt(i))
			L.Push(lua.LNumber(i))
			L.Call(2, 1)
			results.RawSetInt(i, L.Get(-1))
			L.Pop(1)
		}
		return 0
	})
	for range min(o.Workers, n) {
		g.spawn(L, "task.map", worker)
	}
	g.mustSucceed(L)
	g.close(L, false)
	L.Push(results)
	return 1
}
