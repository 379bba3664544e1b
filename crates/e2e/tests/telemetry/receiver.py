"""Takes OTLP over HTTP and gRPC, decodes it by opentelemetry-proto, and prints each message as a line of JSON.

The first line names the two ports.
"""

import json
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


def say(via, message, fields):
    print(json.dumps({"via": via, "headers": fields, "message": MessageToDict(message)}), flush=True)


class OverHttp(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kinds = {
        "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
        "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
    }
    busy = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        # The first message is to come again.
        if OverHttp.busy:
            OverHttp.busy = False
            return self.answer(503)
        message = self.kinds[self.path]()
        message.ParseFromString(body)
        say(self.path, message, dict(self.headers))
        self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class OverGrpc(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        say("grpc", request, dict(context.invocation_metadata()))
        return trace_service_pb2.ExportTraceServiceResponse()


http = ThreadingHTTPServer(("127.0.0.1", 0), OverHttp)
server = grpc.server(futures.ThreadPoolExecutor(2))
trace_service_pb2_grpc.add_TraceServiceServicer_to_server(OverGrpc(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(json.dumps({"http": http.server_port, "grpc": port}), flush=True)
http.serve_forever()
