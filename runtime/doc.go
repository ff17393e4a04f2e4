// Package runtime runs Lua scripts as tasks on one event loop.
//
// # What it promises
//
// One piece of Lua runs at a time. Each [Task] has its own goroutine and its own
// Lua thread of one Lua state; the turn, a first-in-first-out lock, says which of
// them may touch Lua. Control changes hands only inside functions that wait.
//
// A host function waits with [Host.Wait]: it gives the turn away, waits in place on
// its own stack, and takes the turn again. So waiting works under pcall, in
// metamethods, iterators, sort comparators, gsub callbacks and coroutines alike;
// nothing ever yields through Go.
//
// A cancel is sticky: a cancelled task's waits return at once, and the Lua of it
// raises again within 1,024 instructions, inside pcall loops too. Cleanup therefore
// has its own door, [Host.Finally], which runs on a fresh thread and a context of
// its own.
//
// A task that fails while nobody joins it ends the program. A Go panic in a host
// function ends the program too, and no pcall can hide it.
//
// # Who may touch what
//
// Only the holder of the turn may touch a *lua.LState or an lua.LValue. A function
// handed to [Host.Wait] runs without the turn and must not. Everything exported
// here that takes an *lua.LState is to be called with the turn held, which is
// always so inside a host function. What may be called from any goroutine says so.
//
// # Where to look
//
// turn.go (the turn and Wait), task.go and scope.go (lifetimes), context.go (the
// instruction hook), protect.go (pcall), coroutine.go, host.go (start and stop),
// loader.go (from source to function), args.go, value.go, object.go, errors.go
// (the border between Go and Lua), base.go (what differs from stock gopher-lua),
// repair.go and constructor.go (what it compiles wrongly), iolib.go and oslib.go (io and
// os, which wait), process.go and openfile.go (where scripts reach programs and files).
package runtime
