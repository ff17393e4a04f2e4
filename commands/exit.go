package commands

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// The exit codes. os.exit(n) of a script wins over all of them.
const (
	exitDone      = 0
	exitRaised    = 1   // the script raised an error that nobody caught
	exitUsage     = 2   // the command line, or the script's syntax
	exitNoEtcd    = 3   // etcd could not be reached, or was lost and nobody caught it
	exitRefused   = 4   // etcd's or our permissions, a guard, a stale plan
	exitTestsFail = 5   // tests failed
	exitTimeout   = 6   // time or a budget was exceeded
	exitLost      = 7   // a lock or a leadership was lost
	exitInternal  = 70  // a fault of etcdlua
	exitPipe      = 141 // nobody reads the output any more
	exitSignal    = 128 // and the signal's number: SIGINT is 130, SIGTERM 143
)

// exitHelp says what the codes mean, in the help of the commands.
var exitHelp = []struct {
	code int
	text string
}{
	{exitDone, "done"},
	{exitRaised, "the script raised an error, or the command failed"},
	{exitUsage, "wrong usage, or a syntax error"},
	{exitNoEtcd, "etcd could not be reached, or was lost"},
	{exitRefused, "refused: permissions, a guard, wrong credentials"},
	{exitTimeout, "a time limit was exceeded"},
	{exitLost, "a lock or a leadership was lost"},
	{exitInternal, "a fault of etcdlua itself"},
	{130, "interrupted (SIGINT)"},
	{141, "nobody reads the output any more"},
	{143, "terminated (SIGTERM)"},
}

// Interrupted is the cause of a context that a signal ended. main makes it.
type Interrupted struct{ Signal os.Signal }

func (i *Interrupted) Error() string { return fmt.Sprintf("interrupted by signal: %v", i.Signal) }

// ExitCode is 128 and the signal's number, as shells have it.
func (i *Interrupted) ExitCode() int {
	if s, ok := i.Signal.(syscall.Signal); ok {
		return exitSignal + int(s)
	}
	return exitRaised
}

// codedError ends the program with a code of its own.
type codedError struct {
	code int
	text string
	hint string
	err  error // what lies below, for errors.As
}

func (e *codedError) Error() string {
	if e.text == "" && e.err != nil {
		return e.err.Error()
	}
	return e.text
}

func (e *codedError) Unwrap() error { return e.err }

// usageErrorf is a command line that cannot be obeyed.
func usageErrorf(format string, args ...any) *codedError {
	return &codedError{code: exitUsage, text: fmt.Sprintf(format, args...)}
}

func (e *codedError) withHint(format string, args ...any) *codedError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// exitCodes is what an error that nobody caught ends the program with, by its code.
// What is not here is exitRaised.
var exitCodes = map[string]int{
	string(etcdapi.CodeUnavailable):      exitNoEtcd,
	string(etcdapi.CodeNoLeader):         exitNoEtcd,
	string(etcdapi.CodeLeaderChanged):    exitNoEtcd,
	string(etcdapi.CodeUnhealthy):        exitNoEtcd,
	string(etcdapi.CodePermissionDenied): exitRefused,
	string(etcdapi.CodeNotPermitted):     exitRefused,
	string(etcdapi.CodeUnauthenticated):  exitRefused,
	string(etcdapi.CodeGuarded):          exitRefused,
	string(etcdapi.CodePlanStale):        exitRefused,
	string(etcdapi.CodeTimeout):          exitTimeout,
	string(etcdapi.CodeLockTimeout):      exitTimeout,
	string(etcdapi.CodeLockLost):         exitLost,
	string(etcdapi.CodeLeadershipLost):   exitLost,
}

// exitCode is the code that err ends the program with.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if n, ok := runtime.ExitCode(err); ok {
		return clampExit(n)
	}
	if _, ok := panicOf(err); ok {
		return exitInternal
	}
	var signal *Interrupted
	if errors.As(err, &signal) {
		return signal.ExitCode()
	}
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	if errors.Is(err, syscall.EPIPE) && isOutputError(err) {
		return exitPipe
	}
	if code, ok := exitCodes[errorCode(err)]; ok {
		return code
	}
	return exitRaised
}

// clampExit keeps a code that the system would cut to 8 bits from reading as success.
func clampExit(n int) int {
	if n < 0 || n > 255 {
		return 255
	}
	return n
}

// errorCode is the contract's code of err, "" when it has none.
func errorCode(err error) string {
	var e *runtime.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	var a *etcdapi.Error
	if errors.As(err, &a) {
		return string(a.Code)
	}
	return ""
}

func isOutputError(err error) bool {
	var o *runtime.OutputError
	return errors.As(err, &o)
}
