package runtime

import (
	_ "embed" // the types file
	"math/rand/v2"
	"time"

	lua "github.com/yuin/gopher-lua"
)

//go:embed task.lua
var taskTypes string

// TaskModule is the module task: spawn, sleep, timers, groups, channels, mutexes.
var TaskModule = Module{Name: "task", Types: taskTypes, Open: openTask}

// taskModule holds what the functions of task share.
type taskModule struct {
	h        *Host
	task     *Type[*Task]
	channels *Type[*channel]
	mutexes  *Type[*mutex]
}

func openTask(h *Host) lua.LValue {
	m := &taskModule{h: h}
	m.task = NewType[*Task](h, "task", Methods{"join": m.join, "cancel": m.cancel, "status": m.status})
	m.channels = m.newChannelType()
	m.mutexes = NewType[*mutex](h, "mutex", Methods{"with": m.with})
	return h.NewModule("task", Methods{
		"spawn": m.spawn, "sleep": m.sleep, "yield": m.yield, "after": m.after, "every": m.every, "cron": m.cron,
		"all": m.all, "any": m.any, "map": m.mapList, "with_timeout": m.withTimeout,
		"channel": m.channel, "mutex": m.newMutex, "finally": m.finally, "on_exit": m.onExit,
	})
}

// rest returns the arguments from position n on.
func rest(L *lua.LState, n int) []lua.LValue {
	args := make([]lua.LValue, 0, max(0, L.GetTop()-n+1))
	for i := n; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	return args
}

// checkFunction reads a function argument of a call that takes further arguments for it.
func checkFunction(L *lua.LState, fn, name string, n int) *lua.LFunction {
	if err := refuseColon(L, fn); err != nil {
		Raise(L, err)
	}
	f, ok := toFunction(L, L.Get(n))
	if !ok {
		Raise(L, badArgument(fn, name, "must be a function", describe(L, L.Get(n))))
	}
	return f
}

func checkDuration(L *lua.LState, fn, name string, n int) time.Duration {
	if err := refuseColon(L, fn); err != nil {
		Raise(L, err)
	}
	var d time.Duration
	if err := assign(L, fn, name, &d, L.Get(n)); err != nil {
		Raise(L, err)
	}
	return d
}

func push(L *lua.LState, values []lua.LValue) int {
	for _, v := range values {
		L.Push(v)
	}
	return len(values)
}

func (m *taskModule) spawn(L *lua.LState) int {
	fn := checkFunction(L, "task.spawn", "fn", 1)
	L.Push(m.task.New(m.h.Spawn(L, SpawnOptions{}, fn, rest(L, 2)...)))
	return 1
}

func (m *taskModule) sleep(L *lua.LState) int {
	var d time.Duration
	Unpack(L, "task.sleep", "duration", &d)
	m.h.Sleep(L, d)
	return 0
}

// Sleep waits for d in the calling task; a cancel raises.
func (h *Host) Sleep(L *lua.LState, d time.Duration) {
	if err := h.Wait(L, func(ctx Ctx) error { return h.Clock.Sleep(ctx, d) }); err != nil {
		Raise(L, err)
	}
}

func (m *taskModule) yield(L *lua.LState) int {
	Unpack(L, "task.yield")
	_ = m.h.Wait(L, func(Ctx) error { return nil })
	return 0
}

func (m *taskModule) after(L *lua.LState) int {
	d := checkDuration(L, "task.after", "duration", 1)
	fn := checkFunction(L, "task.after", "fn", 2)
	args := rest(L, 3)
	L.Push(m.task.New(m.h.SpawnGo(L, SpawnOptions{Name: "timer"}, func(L *lua.LState) error {
		m.h.Sleep(L, d)
		_, err := m.h.callOn(L, fn, args)
		return err
	})))
	return 1
}

type everyOptions struct {
	Jitter  time.Duration `lua:"jitter"`
	Overlap bool          `lua:"overlap"`
}

func (m *taskModule) every(L *lua.LState) int {
	var d time.Duration
	var fn *lua.LFunction
	var o everyOptions
	Unpack(L, "task.every", "interval", &d, "fn", &fn, "opts?", &o)
	if d <= 0 {
		Raisef(L, CodeInvalidArgument, "task.every", "task.every: interval must be more than 0")
	}
	next := m.h.Clock.Now()
	L.Push(m.task.New(m.repeat(L, "task.every", fn, o.Overlap, func(now time.Time) time.Time {
		for !next.After(now) { // turns that were missed are not made up for
			next = next.Add(d)
		}
		if o.Jitter > 0 {
			return next.Add(rand.N(o.Jitter))
		}
		return next
	})))
	return 1
}

// repeat spawns the task that calls fn at each time that next gives, one call after
// the other, or side by side with overlap. next returns the zero time for "never".
func (m *taskModule) repeat(L *lua.LState, name string, fn *lua.LFunction, overlap bool, next func(time.Time) time.Time) *Task {
	h := m.h
	return h.SpawnGo(L, SpawnOptions{Name: name}, func(L *lua.LState) error {
		for {
			now := h.Clock.Now()
			at := next(now)
			if at.IsZero() {
				return nil
			}
			h.Sleep(L, at.Sub(now))
			if overlap {
				h.Spawn(L, SpawnOptions{Name: name}, fn)
				continue
			}
			if _, err := h.callOn(L, fn, nil); err != nil {
				return err
			}
		}
	})
}

func (m *taskModule) withTimeout(L *lua.LState) int {
	const name = "task.with_timeout"
	d := checkDuration(L, name, "timeout", 1)
	fn := checkFunction(L, name, "fn", 2)
	results, err := m.h.RunTimeout(L, name, d, fn, rest(L, 3))
	if err != nil {
		Raise(L, err)
	}
	return push(L, results)
}

// RunTimeout runs fn in a scope that is stopped with code timeout after d.
func (h *Host) RunTimeout(L *lua.LState, name string, d time.Duration, fn lua.LValue, args []lua.LValue) ([]lua.LValue, error) {
	expired := Errorf(CodeTimeout, name, "%s: not finished within %s", name, d)
	expired.Retryable, expired.Where = true, where(L)
	var timer *time.Timer
	results, err := h.RunScope(L, fn, args, func(s *Scope) {
		timer = h.Clock.AfterFunc(d, func() { s.Cancel(expired) })
	})
	timer.Stop()
	return results, err
}

func (m *taskModule) finally(L *lua.LState) int {
	var fn *lua.LFunction
	Unpack(L, "task.finally", "fn", &fn)
	m.h.Finally(L, fn)
	return 0
}

func (m *taskModule) onExit(L *lua.LState) int {
	var fn *lua.LFunction
	Unpack(L, "task.on_exit", "fn", &fn)
	m.h.OnExit(fn)
	return 0
}

func (m *taskModule) join(L *lua.LState) int {
	t := Self[*Task](L, "task:join")
	results, err := m.h.Join(L, t)
	if err != nil {
		Raise(L, err)
	}
	return push(L, results)
}

func (m *taskModule) cancel(L *lua.LState) int {
	Self[*Task](L, "task:cancel").Cancel()
	contextOf(L).stop() // a task that cancels itself stops here
	return 0
}

func (m *taskModule) status(L *lua.LState) int {
	L.Push(lua.LString(Self[*Task](L, "task:status").Status()))
	return 1
}
