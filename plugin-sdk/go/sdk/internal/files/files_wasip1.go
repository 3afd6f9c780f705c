package files

import (
	_ "syscall"
	_ "unsafe"
)

// A folder that the host has opened, as package syscall knows it.
type folder struct {
	fd   int32
	name string
}

//go:linkname folders syscall.preopens
var folders []folder

//go:linkname current syscall.cwd
var current string

// Granted folders have relative names, as `src`, and Go takes the first of them for the current folder: `src/a` would
// be looked for in `src/src`. They lie in the root, and that is where a plugin is.
func init() {
	current = "/"
	for i := range folders {
		if name := folders[i].name; name == "." {
			folders[i].name = "/"
		} else if name != "" && name[0] != '/' {
			folders[i].name = "/" + name
		}
	}
}
