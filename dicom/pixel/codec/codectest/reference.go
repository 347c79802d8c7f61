package codectest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"salus/dicom/pixel/codec"
)

// MoreFiles is the environment variable that names a directory of further DICOM files to compare with.
const MoreFiles = "SALUS_DICOM_FILES"

// Images returns the images of the transfer syntaxes in shared/data/dicom of a directory above, and in the directory of MoreFiles. Without any
// the test is skipped.
func Images(t *testing.T, syntaxes ...string) []*Image {
	t.Helper()
	var images []*Image
	for _, root := range roots(t) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".dcm" {
				return err
			}
			if image, err := ReadImage(path); err == nil && slices.Contains(syntaxes, image.TransferSyntax) && image.Fragments != nil {
				images = append(images, image)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(images) == 0 {
		t.Skipf("NOT COVERED: decoding of foreign files of transfer syntax %v; no shared/data/dicom in a directory above, and %s is not set",
			syntaxes, MoreFiles)
	}
	return images
}

func roots(t *testing.T) []string {
	t.Helper()
	var found []string
	if more := os.Getenv(MoreFiles); more != "" {
		found = append(found, more)
	}
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		data := filepath.Join(directory, "shared", "data", "dicom")
		if info, err := os.Stat(data); err == nil && info.IsDir() {
			return append(found, data)
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return found
		}
		directory = parent
	}
}

// Tool returns the path of a program of dcmtk, or skips the test, of which it says what is then not covered.
func Tool(t *testing.T, name, covers string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT COVERED: %s; %s of dcmtk is not installed", covers, name)
	}
	return path
}

// Reference decodes a file with a program of dcmtk. The result is nil if the program refuses the file.
func Reference(t *testing.T, tool, path string, flags ...string) *Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "reference.dcm")
	message, err := exec.Command(tool, append(flags, path, out)...).CombinedOutput()
	if err != nil {
		t.Logf("%s refuses %s: %s", filepath.Base(tool), path, message)
		return nil
	}
	image, err := ReadImage(out)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// Interleaved returns the samples of a native frame by pixel, whatever its planar configuration.
func (m *Image) Interleaved(frame int) []byte {
	native := m.Native[frame*m.FrameBytes():][:m.FrameBytes()]
	if m.Planar == 0 || m.Shape.Components == 1 {
		return native
	}
	width := m.BitsAllocated / 8
	pixels := m.Shape.Rows * m.Shape.Columns
	out := make([]byte, len(native))
	for i := range pixels * m.Shape.Components {
		component, pixel := i/pixels, i%pixels
		copy(out[(pixel*m.Shape.Components+component)*width:][:width], native[i*width:])
	}
	return out
}

// Encoded returns what a program of dcmtk makes of a frame. The result is nil if it refuses it.
func Encoded(t *testing.T, tool string, f *codec.Frame, photometric string, flags ...string) *Image {
	t.Helper()
	image := Image{
		TransferSyntax: "1.2.840.10008.1.2.1", Shape: f.Shape, BitsStored: f.Bits, BitsAllocated: 8 * codec.SampleBytes(f.Bits),
		Photometric: photometric, Native: f.Samples,
	}
	path := filepath.Join(t.TempDir(), "native.dcm")
	if err := image.Write(path); err != nil {
		t.Fatal(err)
	}
	return Reference(t, tool, path, flags...)
}

// Allocated returns how many bytes a call allocates.
func Allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
