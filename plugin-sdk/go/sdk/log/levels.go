package log

import "fmt"

// Debugf logs detail for the plugin's author.
func Debugf(format string, args ...any) { Log(LevelDebug, fmt.Sprintf(format, args...)) }

// Infof logs what the step does.
func Infof(format string, args ...any) { Log(LevelInfo, fmt.Sprintf(format, args...)) }

// Warnf logs that something is off, and the step goes on.
func Warnf(format string, args ...any) { Log(LevelWarn, fmt.Sprintf(format, args...)) }

// Errorf logs that something failed.
func Errorf(format string, args ...any) { Log(LevelError, fmt.Sprintf(format, args...)) }
