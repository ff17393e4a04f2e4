package commands

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unicode/utf8"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// report prints why the program ends, on standard error: what happened, where in the
// script, and what to do about it. It is silent where the end speaks for itself: a
// signal, os.exit, a reader that has gone.
func (p *program) report(err error) {
	if err == nil {
		return
	}
	var b strings.Builder
	var stuck *runtime.StuckError
	if errors.As(err, &stuck) {
		b.WriteString("etcdlua: " + printable(stuck.Error()) + "\n")
	}
	if !speaksForItself(err) {
		b.WriteString(errorText(err))
	}
	_, _ = fmt.Fprint(p.streams.Err, b.String()) // there is nobody to tell that it failed
}

func speaksForItself(err error) bool {
	var signal *Interrupted
	var stuck *runtime.StuckError
	_, exited := runtime.ExitCode(err)
	_, panicked := runtime.PanicStack(err)
	switch {
	case panicked:
		return false
	case exited, errors.As(err, &signal), errors.Is(err, syscall.EPIPE) && isOutputError(err):
		return true
	}
	return errors.As(err, &stuck) && err == error(stuck)
}

// errorText is an error in lines: message, hint, traceback.
func errorText(err error) string {
	if stack, ok := panicOf(err); ok {
		return panicText(err, stack)
	}
	var coded *codedError
	if errors.As(err, &coded) && coded.text != "" {
		return "etcdlua: " + printable(coded.text) + "\n" + hintText(coded.hint)
	}
	var b strings.Builder
	b.WriteString(printable(message(err)) + "\n")
	if hint, excerpt := hintOf(err); excerpt {
		b.WriteString("  " + strings.ReplaceAll(printable(hint), "\n", "\n  ") + "\n")
	} else {
		b.WriteString(hintText(hint))
	}
	if coded != nil {
		b.WriteString(hintText(coded.hint))
	}
	b.WriteString(printable(runtime.Traceback(err)))
	return b.String()
}

// message is the first line: of a script's error as it is, with the script's name in
// front; of others with the program's.
func message(err error) string {
	var raised *runtime.Raised
	if errors.As(err, &raised) {
		return raised.Error()
	}
	var e *runtime.Error
	if errors.As(err, &e) {
		switch {
		case e.Where != "":
			return e.Error()
		case e.Code == runtime.CodeIO:
			return "etcdlua: " + e.Message
		}
		return "etcdlua: " + e.Error()
	}
	var a *etcdapi.Error
	if errors.As(err, &a) {
		return fmt.Sprintf("etcdlua: %s: %s", a.Code, a.Message)
	}
	return "etcdlua: " + err.Error()
}

// hintOf returns what an error says about what to do; of a syntax error that is the
// line of the source with a caret below.
func hintOf(err error) (hint string, excerpt bool) {
	var e *runtime.Error
	if errors.As(err, &e) {
		return e.Hint, e.Code == runtime.CodeParse && strings.Contains(e.Hint, "\n")
	}
	var a *etcdapi.Error
	if errors.As(err, &a) {
		return a.Hint, false
	}
	return "", false
}

func hintText(hint string) string {
	if hint == "" {
		return ""
	}
	return "hint: " + wrap(printable(hint), 6) + "\n"
}

func panicOf(err error) (stack string, ok bool) {
	var p *panicError
	if errors.As(err, &p) {
		return fmt.Sprintf("%v\n%s", p.value, p.stack), true
	}
	return runtime.PanicStack(err)
}

func panicText(err error, stack string) string {
	what, _, _ := strings.Cut(err.Error(), "\n")
	return "etcdlua: internal fault. This is a bug of etcdlua, not of the script; please report all of this.\n" +
		printable(what) + "\n" + printable(runtime.Traceback(err)) + printable(stack) + "\n"
}

// maxShown bounds what is printed of one text: an error may carry a whole value.
const maxShown = 16 << 10

// printable keeps what a script or a server says from steering the terminal.
func printable(s string) string {
	cut := ""
	if len(s) > maxShown {
		cut = fmt.Sprintf("… (%d bytes)", len(s))
		s = s[:maxShown]
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\n' && r != '\t', r == 0x7f, r >= 0x80 && r < 0xa0:
			for _, c := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String() + cut
}
