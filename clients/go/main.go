// What a Go program does with the generated client. Run it with the URL of the demo.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"

	"github.com/antihax/optional"

	"hpcgateway"
)

const password = "Choose@Your0wn"

var (
	clusters = []string{"demo-ehpc", "demo-shanhe"}
	ctx      = context.Background()
)

type consumer struct {
	users      *hpcgateway.UsersApiService
	operations *hpcgateway.OperationsApiService
}

func check(err error) {
	if err == nil {
		return
	}
	var answer hpcgateway.GenericOpenAPIError
	if errors.As(err, &answer) {
		err = fmt.Errorf("%w: %s", err, answer.Body())
	}
	fmt.Fprintln(os.Stderr, "failed:", err)
	os.Exit(1)
}

func expect(what string, actual, expected interface{}) {
	if !reflect.DeepEqual(actual, expected) {
		check(fmt.Errorf("%s: expected %v, got %v", what, expected, actual))
	}
}

// refused compares the problem that a mistake was answered with.
func refused(what string, err error, answer *http.Response, status int, code hpcgateway.ErrorCode) {
	var refusal hpcgateway.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		check(fmt.Errorf("%s was not refused: %v", what, err))
	}
	var problem hpcgateway.Problem
	check(json.Unmarshal(refusal.Body(), &problem))
	expect(what, problem.Code, code)
	expect(what, []int{answer.StatusCode, int(problem.Status)}, []int{status, status})
}

func newUser(username string) hpcgateway.UserCreate {
	return hpcgateway.UserCreate{Username: username, Password: password}
}

func creations(usernames ...string) (items []hpcgateway.BatchItem) {
	for _, username := range usernames {
		items = append(items, hpcgateway.BatchItem{Op: hpcgateway.OP_CREATE, Username: username, Password: password})
	}
	return items
}

// newKey is a text that no other request has.
func newKey() string {
	bytes := make([]byte, 16)
	_, err := rand.Read(bytes)
	check(err)
	return hex.EncodeToString(bytes)
}

func (c consumer) list() {
	for _, cluster := range clusters {
		options := &hpcgateway.ListUsersOpts{Limit: optional.NewInt32(40)}
		count, total := 0, 0
		for {
			page, _, err := c.users.ListUsers(ctx, cluster, options)
			check(err)
			count += len(page.Items)
			if page.NextCursor == nil {
				total = int(*page.Total)
				break
			}
			options.Cursor = optional.NewString(*page.NextCursor)
		}
		expect("users on all pages", count, total)
	}
}

func (c consumer) get() {
	for _, cluster := range clusters {
		page, _, err := c.users.ListUsers(ctx, cluster, nil)
		check(err)
		user, _, err := c.users.GetUser(ctx, cluster, page.Items[0].Username, nil)
		check(err)
		expect("the user", user, page.Items[0])
	}
}

func (c consumer) create() {
	for _, cluster := range clusters {
		user, _, err := c.users.CreateUser(ctx, cluster, newUser("gohpc1"), nil)
		check(err)
		expect("the new user", []string{user.ClusterId, user.Username}, []string{cluster, "gohpc1"})
	}
}

func (c consumer) problems() {
	for _, cluster := range clusters {
		_, answer, err := c.users.CreateUser(ctx, cluster, newUser("gohpc1"), nil)
		refused("a name that is taken", err, answer, 409, hpcgateway.PROBLEM_USER_ALREADY_EXISTS)
		_, answer, err = c.users.CreateUser(ctx, cluster, newUser("not a name"), nil)
		refused("a bad name", err, answer, 422, hpcgateway.PROBLEM_INVALID_USER)
		_, answer, err = c.users.GetUser(ctx, cluster, "gonobody", nil)
		refused("an unknown user", err, answer, 404, hpcgateway.PROBLEM_USER_NOT_FOUND)
	}
}

func (c consumer) batch() {
	for _, cluster := range clusters {
		request := hpcgateway.BatchRequest{Items: creations("gohpc2", "not a name")}
		result, _, err := c.users.BatchUsers(ctx, cluster, request, nil)
		check(err)
		expect("the first result", result.Results[0].Status, hpcgateway.ITEM_CREATED)
		expect("the second result", result.Results[1].Status, hpcgateway.ITEM_REFUSED)
		expect("the refusal", result.Results[1].Problem.Code, hpcgateway.PROBLEM_INVALID_USER)
	}
}

func (c consumer) operation() {
	for _, cluster := range clusters {
		request := hpcgateway.OperationRequest{Items: creations("gohpc3")}
		operation, _, err := c.operations.StartOperation(ctx, cluster, request, nil)
		check(err)
		for !operation.Done {
			wait := &hpcgateway.GetOperationOpts{Prefer: optional.NewString("wait=5")}
			operation, _, err = c.operations.GetOperation(ctx, operation.Id, wait)
			check(err)
		}
		expect("the state", operation.State, hpcgateway.OPERATION_SUCCEEDED)
		expect("the result", operation.Results[0].Status, hpcgateway.ITEM_CREATED)
	}
}

func (c consumer) repeat() {
	for _, cluster := range clusters {
		options := &hpcgateway.CreateUserOpts{IdempotencyKey: optional.NewString(newKey())}
		once, answer, err := c.users.CreateUser(ctx, cluster, newUser("gohpc4"), options)
		check(err)
		expect("the mark of the first answer", answer.Header.Get("Idempotency-Replayed"), "")
		again, answer, err := c.users.CreateUser(ctx, cluster, newUser("gohpc4"), options)
		check(err)
		expect("the repeated answer", again, once)
		expect("the mark of the repeated one", answer.Header.Get("Idempotency-Replayed"), "true")
	}
}

func (c consumer) remove() {
	for _, cluster := range clusters {
		for _, username := range []string{"gohpc1", "gohpc2", "gohpc3", "gohpc4"} {
			answer, err := c.users.DeleteUser(ctx, cluster, username, nil)
			check(err)
			expect("the answer to a deletion", answer.StatusCode, 204)
		}
	}
}

func main() {
	configuration := hpcgateway.NewConfiguration()
	configuration.BasePath = os.Args[1]
	client := hpcgateway.NewAPIClient(configuration)
	c := consumer{client.UsersApi, client.OperationsApi}
	for _, step := range []struct {
		name string
		run  func()
	}{
		{"list", c.list}, {"get", c.get}, {"create", c.create}, {"problems", c.problems},
		{"batch", c.batch}, {"operation", c.operation}, {"repeat", c.repeat}, {"delete", c.remove},
	} {
		step.run()
		fmt.Println("ok", step.name)
	}
}
