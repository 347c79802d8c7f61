package e2e_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A page shows what was run: a fenced block behind the line "<!-- run -->" is
// run by the shell, one whose first word is the server is started, and every
// line of a block behind "<!-- shows -->" must occur in what the block before
// it printed. "…" at the end of a line stands for the rest of it.
const (
	runMark   = "<!-- run -->"
	showsMark = "<!-- shows -->"
)

// TestDocs_ShowWhatHappens runs the commands of every page in order, with the
// built program and a free port in place of 8080.
func TestDocs_ShowWhatHappens(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands in README.md and docs/ are not checked: %v", err)
		}
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md") {
		blocks := read(t, page)
		if len(blocks) == 0 {
			continue
		}
		ran++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			follow(t, blocks)
		})
	}
	if ran < 2 {
		t.Errorf("only %d pages have marked commands", ran)
	}
}

// block is a marked block of a page.
type block struct {
	mark, text string
	line       int
}

func read(t *testing.T, page string) []block {
	t.Helper()
	f, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var blocks []block
	mark, inside := "", false
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		switch line := lines.Text(); {
		case line == runMark || line == showsMark:
			mark = line
		case inside && line == "```":
			mark, inside = "", false
		case inside:
			blocks[len(blocks)-1].text += line + "\n"
		case mark != "" && strings.HasPrefix(line, "```"):
			inside = true
			blocks = append(blocks, block{mark: mark, line: n})
		case mark != "" && line != "":
			t.Fatalf("%s:%d: a mark without a block", page, n)
		}
	}
	return blocks
}

func follow(t *testing.T, blocks []block) {
	home := t.TempDir()
	var s *server
	var printed string
	for _, b := range blocks {
		if b.mark == showsMark {
			for want := range strings.Lines(b.text) {
				want = strings.TrimSuffix(strings.TrimSpace(want), "…")
				if !strings.Contains(printed, want) {
					t.Errorf("line %d: %q is not in what was printed:\n%s", b.line, want, printed)
				}
			}
			continue
		}
		text := strings.ReplaceAll(b.text, "go run ./cmd/salus", "salus")
		if args := strings.Fields(text); len(args) > 1 && args[0] == "salus" && args[1] == "serve" {
			if s != nil {
				s.stop()
			}
			s = startIn(t, home, args[2:]...)
			printed = strings.Join(s.Services, "\n") + "\nready " + s.URL + "\n"
			printed = strings.ReplaceAll(printed, s.URL, "http://127.0.0.1:8080")
			continue
		}
		if s != nil {
			text = strings.ReplaceAll(text, "http://127.0.0.1:8080", s.URL)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", text)
		cmd.Dir = home
		cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + filepath.Dir(salus) + ":" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("line %d: %v\n%s%s", b.line, err, text, out)
		}
		printed = string(out)
		if s != nil {
			printed = strings.ReplaceAll(printed, s.URL, "http://127.0.0.1:8080")
		}
	}
}
