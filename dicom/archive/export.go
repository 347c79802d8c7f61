package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"salus/blob"
	"salus/dicom"
	"salus/dicom/index"
	"salus/fault"
)

// exportRequest is what an export is to do.
type exportRequest struct {
	Partition   string   `json:"partition"`
	Identifiers []string `json:"identifiers"` // study, study/series or study/series/instance
	Container   string   `json:"container"`
}

// exportResults are what came of it, as the reference service writes them.
type exportResults struct {
	ErrorHRef string `json:"errorHref"`
	Exported  int    `json:"exported"`
	Skipped   int    `json:"skipped"`
}

// MaxExported is how many identifiers one export can name.
const MaxExported = 10_000

// Export copies instances to one of the containers that the service is set up with, in the background, and returns the id of the operation. Files
// become {operation}/results/{study}/{series}/{instance}.dcm, and what could not be exported is in {operation}/errors.log.
func (a *Archive) Export(ctx context.Context, partition string, identifiers []string, container string) (string, error) {
	if len(a.o.Exports) == 0 {
		return "", fault.New(fault.NotFound, "this service exports nothing: its settings name no containers")
	}
	if a.o.Exports[container] == nil {
		return "", fault.New(fault.Invalid, "the destination is none of the containers that the settings name")
	}
	if len(identifiers) == 0 || len(identifiers) > MaxExported {
		return "", fault.New(fault.Invalid, "an export names 1 to %d studies, series and instances", MaxExported)
	}
	for _, id := range identifiers {
		if _, ok := parseIdentifier(id); !ok {
			return "", fault.New(fault.Invalid, "an identifier is none: it must be a study, a study/series or a study/series/instance")
		}
	}
	return a.begin(ctx, index.Exporting, exportRequest{partition, identifiers, container}, len(identifiers), false)
}

func parseIdentifier(s string) (u index.UIDs, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) > 3 {
		return u, false
	}
	for i, to := range []*string{&u.Study, &u.Series, &u.Instance}[:len(parts)] {
		if !dicom.ValidUID(parts[i]) {
			return u, false
		}
		*to = parts[i]
	}
	return u, true
}

// exporting is one export under way.
type exporting struct {
	*Archive
	operation index.Operation
	request   exportRequest
	to        blob.Store
	results   exportResults
	log       bytes.Buffer // lines of JSON
}

// export does an operation, from its beginning: what was copied before is copied again.
func (a *Archive) export(ctx context.Context, o index.Operation) error {
	x := exporting{Archive: a, operation: o}
	if err := json.Unmarshal(o.Request, &x.request); err != nil {
		return err
	}
	if x.to = a.o.Exports[x.request.Container]; x.to == nil {
		return fault.New(fault.Internal, "the container of an export is not in the settings any more")
	}
	x.results.ErrorHRef = o.ID + "/errors.log"
	for i, id := range x.request.Identifiers {
		if err := x.one(ctx, id); err != nil {
			return err
		}
		if err := x.note(ctx, int64(i), index.Running); err != nil {
			return err
		}
	}
	if _, err := blob.Put(ctx, x.to, x.results.ErrorHRef, &x.log); err != nil {
		return err
	}
	return x.note(ctx, int64(len(x.request.Identifiers)), index.Succeeded)
}

func (x *exporting) note(ctx context.Context, position int64, status index.OperationStatus) (err error) {
	o := x.operation
	o.Position, o.Status = position, status
	if o.Results, err = json.Marshal(x.results); err != nil {
		return err
	}
	return x.index.SetOperation(ctx, o)
}

// one exports what an identifier names.
func (x *exporting) one(ctx context.Context, id string) error {
	u, _ := parseIdentifier(id)
	all, err := x.Instances(ctx, x.request.Partition, u)
	if fault.Is(err, fault.NotFound) {
		return x.skip(id, err)
	}
	if err != nil {
		return err
	}
	for _, s := range all {
		name := x.operation.ID + "/results/" + s.Study + "/" + s.Series + "/" + s.Instance + ".dcm"
		switch err := x.copy(ctx, s, name); {
		case err == nil:
			x.results.Exported++
		case fault.Is(err, fault.NotFound): // deleted meanwhile
			if err := x.skip(s.Study+"/"+s.Series+"/"+s.Instance, err); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

func (x *exporting) copy(ctx context.Context, s index.Stored, name string) error {
	o, err := x.Open(ctx, s)
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = blob.Put(ctx, x.to, name, io.NewSectionReader(o, 0, o.Size()))
	return err
}

// skip notes what could not be exported.
func (x *exporting) skip(id string, err error) error {
	x.results.Skipped++
	line, e := json.Marshal(struct {
		Timestamp  time.Time `json:"timestamp"`
		Identifier string    `json:"identifier"`
		Error      string    `json:"error"`
	}{x.o.Now().UTC(), id, fault.As(err).Message})
	x.log.Write(append(line, '\n'))
	return e
}
