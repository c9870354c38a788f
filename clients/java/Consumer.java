import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.example.hpc.ApiClient;
import org.example.hpc.ApiException;
import org.example.hpc.api.OperationsApi;
import org.example.hpc.api.UsersApi;
import org.example.hpc.model.BatchItem;
import org.example.hpc.model.BatchOp;
import org.example.hpc.model.BatchRequest;
import org.example.hpc.model.BatchResult;
import org.example.hpc.model.ErrorCode;
import org.example.hpc.model.ItemStatus;
import org.example.hpc.model.Operation;
import org.example.hpc.model.OperationRequest;
import org.example.hpc.model.OperationState;
import org.example.hpc.model.Problem;
import org.example.hpc.model.User;
import org.example.hpc.model.UserCreate;
import org.example.hpc.model.UserPage;

/** What a Java program does with the generated client. Run it with the URL of the demo. */
public class Consumer {
  private static final List<String> CLUSTERS = List.of("demo-ehpc", "demo-shanhe");
  private static final String PASSWORD = "Choose@Your0wn";

  private final ApiClient client = new ApiClient();
  private final UsersApi users;
  private final OperationsApi operations;
  private final ObjectMapper json;
  private HttpHeaders lastHeaders;

  interface Call {
    void run() throws ApiException;
  }

  Consumer(URI url) {
    client.setHost(url.getHost()).setPort(url.getPort());
    client.setResponseInterceptor(response -> lastHeaders = response.headers());
    users = new UsersApi(client);
    operations = new OperationsApi(client);
    json = client.getObjectMapper();
  }

  static void expect(String what, Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new IllegalStateException(what + ": expected " + expected + ", got " + actual);
    }
  }

  /** Makes a mistake, and compares the problem that it is answered with. */
  void refused(String what, Call call, int status, ErrorCode code) throws Exception {
    try {
      call.run();
    } catch (ApiException error) {
      Problem problem = json.readValue(error.getResponseBody(), Problem.class);
      expect(what, problem.getCode(), code);
      expect(what, List.of(error.getCode(), problem.getStatus()), List.of(status, status));
      return;
    }
    throw new IllegalStateException(what + " was not refused");
  }

  static UserCreate newUser(String username) {
    return new UserCreate().username(username).password(PASSWORD);
  }

  static BatchItem newItem(String username) {
    return new BatchItem().op(BatchOp.OP_CREATE).username(username).password(PASSWORD);
  }

  UserPage page(String cluster, String cursor) throws ApiException {
    return users.listUsers(cluster, 40, cursor, null, null, null, null, null, null, null);
  }

  User create(String cluster, String username, String key) throws ApiException {
    return users.createUser(cluster, newUser(username), key);
  }

  User get(String cluster, String username) throws ApiException {
    return users.getUser(cluster, username, null, null, null);
  }

  void list() throws Exception {
    for (String cluster : CLUSTERS) {
      UserPage page = page(cluster, null);
      List<User> all = new ArrayList<>(page.getItems());
      while (page.getNextCursor() != null) {
        page = page(cluster, page.getNextCursor());
        all.addAll(page.getItems());
      }
      expect("users on all pages", (long) all.size(), page.getTotal());
    }
  }

  void get() throws Exception {
    for (String cluster : CLUSTERS) {
      User first = page(cluster, null).getItems().get(0);
      expect("the user", get(cluster, first.getUsername()), first);
    }
  }

  void create() throws Exception {
    for (String cluster : CLUSTERS) {
      User user = create(cluster, "jahpc1", null);
      expect("the new user", List.of(user.getClusterId(), user.getUsername()), List.of(cluster, "jahpc1"));
    }
  }

  void problems() throws Exception {
    for (String cluster : CLUSTERS) {
      refused("a name that is taken", () -> create(cluster, "jahpc1", null), 409, ErrorCode.PROBLEM_USER_ALREADY_EXISTS);
      refused("a bad name", () -> create(cluster, "not a name", null), 422, ErrorCode.PROBLEM_INVALID_USER);
      refused("an unknown user", () -> get(cluster, "janobody"), 404, ErrorCode.PROBLEM_USER_NOT_FOUND);
    }
  }

  void batch() throws Exception {
    for (String cluster : CLUSTERS) {
      BatchRequest request = new BatchRequest().addItemsItem(newItem("jahpc2")).addItemsItem(newItem("not a name"));
      BatchResult result = users.batchUsers(cluster, request, null);
      expect("the first result", result.getResults().get(0).getStatus(), ItemStatus.ITEM_CREATED);
      expect("the second result", result.getResults().get(1).getStatus(), ItemStatus.ITEM_REFUSED);
      expect("the refusal", result.getResults().get(1).getProblem().getCode(), ErrorCode.PROBLEM_INVALID_USER);
    }
  }

  void operation() throws Exception {
    for (String cluster : CLUSTERS) {
      OperationRequest request = new OperationRequest().addItemsItem(newItem("jahpc3"));
      Operation operation = operations.startOperation(cluster, request, null);
      while (!operation.getDone()) {
        operation = operations.getOperation(operation.getId(), "wait=5");
      }
      expect("the state", operation.getState(), OperationState.OPERATION_SUCCEEDED);
      expect("the result", operation.getResults().get(0).getStatus(), ItemStatus.ITEM_CREATED);
      String id = operation.getId();
      // Java writes midnight without seconds.
      OffsetDateTime from = OffsetDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.DAYS).minusDays(1);
      boolean isListed =
          operations.listOperations(cluster, null, null, null, null, from, null, 200, null).getItems().stream()
              .anyMatch(one -> id.equals(one.getId()));
      expect("the operation in the list", isListed, true);
    }
  }

  void repeat() throws Exception {
    for (String cluster : CLUSTERS) {
      String key = UUID.randomUUID().toString();
      User once = create(cluster, "jahpc4", key);
      expect("the mark of the first answer", lastHeaders.firstValue("Idempotency-Replayed").isPresent(), false);
      User again = create(cluster, "jahpc4", key);
      expect("the repeated answer", again, once);
      expect("the mark of the repeated one", lastHeaders.firstValue("Idempotency-Replayed").orElse(""), "true");
    }
  }

  void delete() throws Exception {
    for (String cluster : CLUSTERS) {
      for (String username : List.of("jahpc1", "jahpc2", "jahpc3", "jahpc4")) {
        users.deleteUser(cluster, username, null, null);
      }
    }
  }

  interface Step {
    void run() throws Exception;
  }

  static void step(String name, Step step) {
    try {
      step.run();
    } catch (Exception error) {
      System.err.println("failed: " + name + ": " + error);
      if (error instanceof ApiException) {
        System.err.println(((ApiException) error).getResponseBody());
      }
      System.exit(1);
    }
    System.out.println("ok " + name);
  }

  public static void main(String[] arguments) {
    Consumer consumer = new Consumer(URI.create(arguments[0]));
    step("list", consumer::list);
    step("get", consumer::get);
    step("create", consumer::create);
    step("problems", consumer::problems);
    step("batch", consumer::batch);
    step("operation", consumer::operation);
    step("repeat", consumer::repeat);
    step("delete", consumer::delete);
  }
}
