// Package zapslog hands what etcd's code logs through zap to a slog logger.
//
// etcd's client and server log with zap, at levels that suit a daemon with a log file: a normal stop
// has errors in it, a normal start has warnings. The caller says, entry by entry, what is worth
// telling and how loudly.
package zapslog

import (
	"context"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// Judge says at which level an entry is handed on, and whether it is at all.
type Judge func(zapcore.Entry) (level slog.Level, keep bool)

// NewCore returns a core that hands what judge keeps to logger. The level that judge gives an entry
// with no message decides early, before etcd formats anything, whether a zap level is looked at.
func NewCore(logger *slog.Logger, judge Judge) zapcore.Core {
	return &core{logger: logger, judge: judge}
}

type core struct {
	logger *slog.Logger
	judge  Judge
	fields []zapcore.Field
}

func (c *core) Enabled(l zapcore.Level) bool {
	level, keep := c.judge(zapcore.Entry{Level: l})
	return keep && c.logger.Enabled(context.Background(), level)
}

func (c *core) With(fields []zapcore.Field) zapcore.Core {
	all := append(append([]zapcore.Field(nil), c.fields...), fields...)
	return &core{logger: c.logger, judge: c.judge, fields: all}
}

func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if level, keep := c.judge(e); keep && c.logger.Enabled(context.Background(), level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level, keep := c.judge(e)
	if !keep {
		return nil
	}
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range c.fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		f.AddTo(enc)
	}
	attrs := make([]slog.Attr, 0, len(enc.Fields))
	for _, f := range append(append([]zapcore.Field(nil), c.fields...), fields...) {
		if v, ok := enc.Fields[f.Key]; ok {
			attrs = append(attrs, slog.Any(f.Key, v))
			delete(enc.Fields, f.Key)
		}
	}
	c.logger.LogAttrs(context.Background(), level, e.Message, attrs...)
	return nil
}

func (c *core) Sync() error { return nil }
