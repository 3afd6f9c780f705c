// Package logger writes structured messages to the step's log: slog.SetDefault(logger.New()).
package logger

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"

	"windlass/log"
)

// New gives a logger for the step's log. The host adds the time.
func New() *slog.Logger {
	text := new(shared)
	plain := slog.NewTextHandler(&text.buffer, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			// The host has these three in a form of its own.
			if len(groups) == 0 && (attr.Key == slog.TimeKey || attr.Key == slog.LevelKey || attr.Key == slog.MessageKey) {
				return slog.Attr{}
			}
			return attr
		},
	})
	return slog.New(&handler{plain, text})
}

type handler struct {
	attrs slog.Handler
	text  *shared
}

// shared is where a logger and those that derive from it write attributes, one at a time.
type shared struct {
	lock   sync.Mutex
	buffer bytes.Buffer
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	h.text.lock.Lock()
	defer h.text.lock.Unlock()
	h.text.buffer.Reset()
	if err := h.attrs.Handle(ctx, record); err != nil {
		return err
	}
	message := strings.TrimSpace(record.Message + " " + strings.TrimSpace(h.text.buffer.String()))
	log.Log(level(record.Level), message)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.attrs.WithAttrs(attrs), h.text}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.attrs.WithGroup(name), h.text}
}

func level(level slog.Level) log.Level {
	switch {
	case level < slog.LevelInfo:
		return log.LevelDebug
	case level < slog.LevelWarn:
		return log.LevelInfo
	case level < slog.LevelError:
		return log.LevelWarn
	default:
		return log.LevelError
	}
}
