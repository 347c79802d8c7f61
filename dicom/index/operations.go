package index

import (
	"context"
	"time"

	"salus/dicom"
)

// Operation is work that goes on after the request for it was answered.
type Operation struct {
	ID       string // 32 hexadecimal digits
	Type     OperationType
	Status   OperationStatus
	Created  time.Time
	Updated  time.Time
	Percent  int
	Tags     []dicom.Tag // that it indexes
	Position int64       // how far it is: a watermark, or a number of things that are done
	End      int64       // where it is done
	Request  []byte      // what it is to do, as JSON
	Results  []byte      // what came of it, as JSON
}

// OperationType is what an operation does.
type OperationType string

// The types.
const (
	Reindexing OperationType = "reindex"
	Updating   OperationType = "update"
	Exporting  OperationType = "export"
)

// OperationStatus is how far an operation is.
type OperationStatus uint8

// The statuses.
const (
	NotStarted OperationStatus = iota
	Running
	Succeeded
	Failed
)

// Operations is the port of operations. Errors: NotFound, and Busy for one that must wait for another.
type Operations interface {
	// AddOperation adds an operation. It returns the id of an unfinished one with a Busy fault when there is one of its type and it is to be alone.
	AddOperation(ctx context.Context, o Operation, alone bool) (running string, err error)
	// SetOperation writes the status, the position and the results of an operation.
	SetOperation(ctx context.Context, o Operation) error
	// Operation returns an operation.
	Operation(ctx context.Context, id string) (Operation, error)
	// Unfinished returns the operations that are to be done.
	Unfinished(ctx context.Context) ([]Operation, error)
}
