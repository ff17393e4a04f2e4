package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// newLogger makes the logger of --log-format and --log-level on standard error.
func newLogger(s Streams, format, level string) (*slog.Logger, error) {
	var min slog.Level
	switch level {
	case "", "info":
	case "debug":
		min = slog.LevelDebug
	case "warn":
		min = slog.LevelWarn
	case "error":
		min = slog.LevelError
	default:
		return nil, usageErrorf("--log-level %q: it is debug, info, warn or error", level)
	}
	switch format {
	case "", "text":
		layout := time.RFC3339
		if s.ErrTerminal {
			layout = time.TimeOnly
		}
		return slog.New(newTextHandler(s.Err, min, layout)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(s.Err, &slog.HandlerOptions{Level: min})), nil
	}
	return nil, usageErrorf("--log-format %q: it is text or json", format)
}

// textHandler writes "time LEVEL message key=value": what slog's own text handler
// writes, without the names of the first three.
type textHandler struct {
	layout string
	attrs  slog.Handler // writes the attributes, and nothing else, to line
	line   *bytes.Buffer
	mu     *sync.Mutex // guards line and out
	out    io.Writer
}

func newTextHandler(out io.Writer, min slog.Level, layout string) *textHandler {
	h := &textHandler{layout: layout, line: &bytes.Buffer{}, mu: &sync.Mutex{}, out: out}
	h.attrs = slog.NewTextHandler(h.line, &slog.HandlerOptions{Level: min, ReplaceAttr: dropBuiltIn})
	return h
}

// noMessage stands for the message in the record that is left to slog's handler.
const noMessage = "\x00"

// dropBuiltIn drops level and message, and no attribute of the same name.
func dropBuiltIn(groups []string, a slog.Attr) slog.Attr {
	_, isLevel := a.Value.Any().(slog.Level)
	if len(groups) == 0 && (a.Key == slog.LevelKey && isLevel || a.Key == slog.MessageKey && a.Value.String() == noMessage) {
		return slog.Attr{}
	}
	return a
}

func (h *textHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.attrs.Enabled(ctx, level)
}

func (h *textHandler) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line.Reset()
	fmt.Fprintf(h.line, "%s %-5s %s ", r.Time.Format(h.layout), r.Level, oneLine(r.Message))
	r.Time, r.Message = time.Time{}, noMessage // a zero time is left out
	if err := h.attrs.Handle(ctx, r); err != nil {
		return err
	}
	_, err := h.out.Write(append(bytes.TrimRight(h.line.Bytes(), " \n"), '\n'))
	return err
}

// oneLine quotes a message that would not stay on its line.
func oneLine(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	copied := *h
	copied.attrs = h.attrs.WithAttrs(attrs)
	return &copied
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	copied := *h
	copied.attrs = h.attrs.WithGroup(name)
	return &copied
}
