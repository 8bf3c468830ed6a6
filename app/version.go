package app

import "runtime/debug"

// Version is the program's version: set by the linker (-X), else the module's own, else "dev".
var Version string

func init() {
	if Version != "" {
		return
	}
	Version = "dev"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		Version = info.Main.Version
	}
}
