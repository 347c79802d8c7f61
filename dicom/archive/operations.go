package archive

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"

	"salus/dicom/index"
	"salus/fault"
)

// Operation returns work that goes on after the request for it was answered.
func (a *Archive) Operation(ctx context.Context, id string) (index.Operation, error) {
	return a.index.Operation(ctx, id)
}

func (a *Archive) operationID() (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(a.o.Random, id[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(id[:]), nil
}

// begin adds an operation, which is done in the background. With a Busy fault it returns the id of the one that is under way.
func (a *Archive) begin(ctx context.Context, t index.OperationType, request any, end int, alone bool) (string, error) {
	id, err := a.operationID()
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	if running, err := a.index.AddOperation(ctx, index.Operation{ID: id, Type: t, Request: body, End: int64(end)}, alone); err != nil {
		return running, err
	}
	a.wake()
	return id, nil
}

// operate does the operations that are to be done, from where they are. One that fails for good is noted as failed, so that it does not stand in the
// way of the others.
func (a *Archive) operate(ctx context.Context) error {
	all, err := a.index.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		switch o.Type {
		case index.Reindexing:
			err = a.reindexFor(ctx, o)
		case index.Updating:
			err = a.update(ctx, o)
		case index.Exporting:
			err = a.export(ctx, o)
		}
		switch {
		case err == nil:
		case fault.Is(err, fault.Canceled), fault.Is(err, fault.Unavailable), o.Type == index.Reindexing:
			return err // it goes on later
		default:
			o.Status = index.Failed
			if e := a.index.SetOperation(ctx, o); e != nil {
				return e
			}
			a.report("an operation of type "+string(o.Type), err)
		}
	}
	return nil
}
