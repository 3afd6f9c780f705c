// Package files makes granted folders found by package os under the names that the pipeline gives them.
package files
