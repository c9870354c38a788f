// Stands in for RestSharp 105, which Debian does not package: the part of its interface that generated code calls, on
// HttpWebRequest. It sends no forms and no files, since no operation of the gateway has any.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading.Tasks;

namespace RestSharp
{
    public enum Method { GET, POST, PUT, DELETE, HEAD, OPTIONS, PATCH }

    public enum ParameterType { GetOrPost, UrlSegment, HttpHeader, RequestBody, QueryString }

    public class Parameter
    {
        public string Name { get; set; }
        public object Value { get; set; }
        public ParameterType Type { get; set; }

        public override string ToString()
        {
            return Name + "=" + Value;
        }
    }

    public class FileParameter
    {
        public string Name { get; set; }
        public string FileName { get; set; }
        public string ContentType { get; set; }
        public Action<Stream> Writer { get; set; }

        public static FileParameter Create(string name, byte[] data, string fileName)
        {
            return new FileParameter { Name = name, FileName = fileName, Writer = target => target.Write(data, 0, data.Length) };
        }
    }

    public interface IRestRequest
    {
        string Resource { get; }
        Method Method { get; }
        List<Parameter> Parameters { get; }
    }

    public class RestRequest : IRestRequest
    {
        public string Resource { get; private set; }
        public Method Method { get; private set; }
        public List<Parameter> Parameters { get; private set; }

        public RestRequest(string resource, Method method)
        {
            Resource = resource;
            Method = method;
            Parameters = new List<Parameter>();
        }

        public void AddParameter(string name, object value, ParameterType type = ParameterType.GetOrPost)
        {
            if (type == ParameterType.GetOrPost) throw new NotSupportedException("forms");
            Parameters.Add(new Parameter { Name = name, Value = value, Type = type });
        }

        public void AddHeader(string name, string value)
        {
            AddParameter(name, value, ParameterType.HttpHeader);
        }

        public void AddQueryParameter(string name, string value)
        {
            AddParameter(name, value, ParameterType.QueryString);
        }

        public void AddFile(string name, Action<Stream> writer, string fileName, string contentType)
        {
            throw new NotSupportedException("files");
        }
    }

    public interface IRestResponse
    {
        HttpStatusCode StatusCode { get; }
        IList<Parameter> Headers { get; }
        string Content { get; }
        byte[] RawBytes { get; }
        string ErrorMessage { get; }
    }

    public class RestResponse : IRestResponse
    {
        public HttpStatusCode StatusCode { get; set; }
        public IList<Parameter> Headers { get; set; }
        public byte[] RawBytes { get; set; }
        public string ErrorMessage { get; set; }

        public string Content
        {
            get { return Encoding.UTF8.GetString(RawBytes); }
        }

        public RestResponse()
        {
            Headers = new List<Parameter>();
            RawBytes = new byte[0];
        }
    }

    public class RestClient
    {
        public Uri BaseUrl { get; set; }
        public int Timeout { get; set; }
        public string UserAgent { get; set; }

        public RestClient(string baseUrl)
        {
            BaseUrl = new Uri(baseUrl);
        }

        public Task<IRestResponse> ExecuteTaskAsync(IRestRequest request)
        {
            return Task.Run(() => Execute(request));
        }

        public IRestResponse Execute(IRestRequest request)
        {
            try
            {
                using (var answer = (HttpWebResponse)Send(request).GetResponse()) return Read(answer);
            }
            catch (WebException error)
            {
                // An answer with an error status is an answer; without one the status is 0, by which generated code distinguishes them.
                var answer = error.Response as HttpWebResponse;
                if (answer == null) return new RestResponse { ErrorMessage = error.Message };
                using (answer) return Read(answer);
            }
        }

        private HttpWebRequest Send(IRestRequest request)
        {
            var path = request.Resource;
            foreach (var segment in Of(request, ParameterType.UrlSegment))
                path = path.Replace("{" + segment.Name + "}", Uri.EscapeDataString(segment.Value.ToString()));
            var query = string.Join("&", Of(request, ParameterType.QueryString)
                .Select(p => Uri.EscapeDataString(p.Name) + "=" + Uri.EscapeDataString(p.Value.ToString())));
            var url = BaseUrl.ToString().TrimEnd('/') + path + (query == "" ? "" : "?" + query);

            var sent = (HttpWebRequest)WebRequest.Create(url);
            sent.Method = request.Method.ToString();
            sent.UserAgent = UserAgent;
            sent.AllowAutoRedirect = false;
            sent.Proxy = null;
            if (Timeout > 0) sent.Timeout = Timeout;
            foreach (var header in Of(request, ParameterType.HttpHeader))
            {
                var value = header.Value.ToString();
                if (header.Name == "Accept") sent.Accept = value;
                else if (header.Name == "Content-Type") sent.ContentType = value;
                else sent.Headers.Set(header.Name, value);
            }
            foreach (var body in Of(request, ParameterType.RequestBody))
            {
                var bytes = body.Value as byte[] ?? Encoding.UTF8.GetBytes(body.Value.ToString());
                sent.ContentType = body.Name;
                using (var stream = sent.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
            }
            return sent;
        }

        private static IEnumerable<Parameter> Of(IRestRequest request, ParameterType type)
        {
            return request.Parameters.Where(p => p.Type == type);
        }

        private static RestResponse Read(HttpWebResponse answer)
        {
            using (var stream = answer.GetResponseStream())
            using (var bytes = new MemoryStream())
            {
                stream.CopyTo(bytes);
                var headers = answer.Headers.AllKeys
                    .Select(name => new Parameter { Name = name, Value = answer.Headers[name], Type = ParameterType.HttpHeader });
                return new RestResponse { StatusCode = answer.StatusCode, Headers = headers.ToList(), RawBytes = bytes.ToArray() };
            }
        }
    }
}
