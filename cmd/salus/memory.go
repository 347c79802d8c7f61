package main

import (
	"os"
	"runtime/debug"
)

// Memory beside the cache that the server may take before the collector works
// harder: write buffers, requests in work and what they leave behind.
const workingMemory = 320 << 20

// gcPercent is how much garbage there may be beside what is in use, as long as
// the limit leaves room: collecting less often gave a quarter more searches a second.
const gcPercent = 200

// tuneMemory sets the collector for a server with a cache of that many bytes,
// unless the operator has done so by the environment variables of the runtime.
func tuneMemory(cache int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(cache + workingMemory) // soft: what is needed is given
	}
}
