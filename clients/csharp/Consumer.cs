using System;
using System.Collections.Generic;
using System.Linq;
using HpcGateway.Api;
using HpcGateway.Client;
using HpcGateway.Model;
using Newtonsoft.Json;

/// <summary>What a C# program does with the generated client. Run it with the URL of the demo.</summary>
public class Consumer
{
    private static readonly string[] Clusters = { "demo-ehpc", "demo-shanhe" };
    private const string Password = "Choose@Your0wn";

    private readonly UsersApi users;
    private readonly OperationsApi operations;

    private Consumer(string url)
    {
        users = new UsersApi(url);
        operations = new OperationsApi(url);
    }

    private static void Expect(string what, object actual, object expected)
    {
        if (!Equals(actual, expected))
            throw new InvalidOperationException(string.Format("{0}: expected {1}, got {2}", what, expected, actual));
    }

    /// <summary>Makes a mistake, and compares the problem that it is answered with.</summary>
    private static void Refused(string what, Action call, int status, ErrorCode code)
    {
        try
        {
            call();
        }
        catch (ApiException error)
        {
            var problem = JsonConvert.DeserializeObject<Problem>((string)error.ErrorContent);
            Expect(what, problem.Code, code);
            Expect(what, error.ErrorCode, status);
            Expect(what, problem.Status, status);
            return;
        }
        throw new InvalidOperationException(what + " was not refused");
    }

    /// <summary>The header that says that an answer is a repeated one; upper and lower case are alike in names of headers.</summary>
    private static string Mark(IDictionary<string, string> headers)
    {
        return headers.FirstOrDefault(header => header.Key.Equals("Idempotency-Replayed", StringComparison.OrdinalIgnoreCase)).Value;
    }

    private static UserCreate NewUser(string username)
    {
        return new UserCreate(username, Password);
    }

    private static List<BatchItem> Creations(params string[] usernames)
    {
        return usernames.Select(username => new BatchItem(BatchOp.OP_CREATE, username, Password)).ToList();
    }

    private void List()
    {
        foreach (var cluster in Clusters)
        {
            var page = users.ListUsers(cluster, limit: 40);
            var all = new List<User>(page.Items);
            while (page.NextCursor != null)
            {
                page = users.ListUsers(cluster, limit: 40, cursor: page.NextCursor);
                all.AddRange(page.Items);
            }
            Expect("users on all pages", (long)all.Count, page.Total);
        }
    }

    private void Get()
    {
        foreach (var cluster in Clusters)
        {
            var first = users.ListUsers(cluster).Items[0];
            Expect("the user", users.GetUser(cluster, first.Username), first);
        }
    }

    private void Create()
    {
        foreach (var cluster in Clusters)
        {
            var user = users.CreateUser(cluster, NewUser("cshpc1"));
            Expect("the cluster of the new user", user.ClusterId, cluster);
            Expect("the new user", user.Username, "cshpc1");
        }
    }

    private void Problems()
    {
        foreach (var cluster in Clusters)
        {
            Refused("a name that is taken", () => users.CreateUser(cluster, NewUser("cshpc1")), 409, ErrorCode.PROBLEM_USER_ALREADY_EXISTS);
            Refused("a bad name", () => users.CreateUser(cluster, NewUser("not a name")), 422, ErrorCode.PROBLEM_INVALID_USER);
            Refused("an unknown user", () => users.GetUser(cluster, "csnobody"), 404, ErrorCode.PROBLEM_USER_NOT_FOUND);
        }
    }

    private void Batch()
    {
        foreach (var cluster in Clusters)
        {
            var results = users.BatchUsers(cluster, new BatchRequest(Creations("cshpc2", "not a name"))).Results;
            Expect("the first result", results[0].Status, ItemStatus.ITEM_CREATED);
            Expect("the second result", results[1].Status, ItemStatus.ITEM_REFUSED);
            Expect("the refusal", results[1].Problem.Code, ErrorCode.PROBLEM_INVALID_USER);
        }
    }

    private void Operation()
    {
        foreach (var cluster in Clusters)
        {
            var operation = operations.StartOperation(cluster, new OperationRequest(Creations("cshpc3")));
            while (!operation.Done) operation = operations.GetOperation(operation.Id, "wait=5");
            Expect("the state", operation.State, OperationState.OPERATION_SUCCEEDED);
            Expect("the result", operation.Results[0].Status, ItemStatus.ITEM_CREATED);
        }
    }

    private void Repeat()
    {
        foreach (var cluster in Clusters)
        {
            var key = Guid.NewGuid().ToString();
            var once = users.CreateUserWithHttpInfo(cluster, NewUser("cshpc4"), idempotencyKey: key);
            var again = users.CreateUserWithHttpInfo(cluster, NewUser("cshpc4"), idempotencyKey: key);
            Expect("the repeated answer", again.Data, once.Data);
            Expect("the mark of the first answer", Mark(once.Headers), null);
            Expect("the mark of the repeated one", Mark(again.Headers), "true");
        }
    }

    private void Delete()
    {
        foreach (var cluster in Clusters)
            foreach (var username in new[] { "cshpc1", "cshpc2", "cshpc3", "cshpc4" })
                Expect("the answer to a deletion", users.DeleteUserWithHttpInfo(cluster, username).StatusCode, 204);
    }

    public static int Main(string[] arguments)
    {
        var consumer = new Consumer(arguments[0]);
        var steps = new Dictionary<string, Action>
        {
            { "list", consumer.List }, { "get", consumer.Get }, { "create", consumer.Create }, { "problems", consumer.Problems },
            { "batch", consumer.Batch }, { "operation", consumer.Operation }, { "repeat", consumer.Repeat }, { "delete", consumer.Delete },
        };
        foreach (var step in steps)
        {
            try
            {
                step.Value();
            }
            catch (Exception error)
            {
                Console.Error.WriteLine("failed: {0}: {1}", step.Key, error);
                return 1;
            }
            Console.WriteLine("ok " + step.Key);
        }
        return 0;
    }
}
