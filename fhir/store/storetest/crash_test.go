package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"salus/fhir/store/storetest"
)

// defectVariable chooses the engine of TestCrash in the processes that prove
// that the harness finds defects.
const defectVariable = "SALUS_CRASH_DEFECT"

func TestCrash(t *testing.T) {
	storetest.RunCrash(t, openJournal(os.Getenv(defectVariable)), storetest.CrashOptions{Life: 150 * time.Millisecond})
}

func TestCrash_FindsDefects(t *testing.T) {
	for defect, finding := range map[string]string{
		"early":       "was acknowledged",
		"torn":        "ledger",
		"stale index": "search",
	} {
		t.Run(defect, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$", "-test.v")
			cmd.Env = append(os.Environ(), defectVariable+"="+defect, "TMPDIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the harness finds nothing:\n%s", out)
			}
			if !strings.Contains(string(out), finding) {
				t.Errorf("the harness finds something else:\n%s", out)
			}
		})
	}
}
