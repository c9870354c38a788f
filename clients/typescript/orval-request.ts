/** What the functions that orval generates make their requests with. */
import axios, { type AxiosRequestConfig } from 'axios';

const http = axios.create({ baseURL: process.argv[2] });

export const request = async <T>(config: AxiosRequestConfig): Promise<T> => (await http.request<T>(config)).data;
